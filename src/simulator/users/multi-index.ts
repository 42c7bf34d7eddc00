/** Which users have a value. Nearly every value has one user, so one id is kept bare and only several make a list. */
export class MultiIndex {
  readonly #ids = new Map<string, string | readonly string[]>();

  find(value: string): readonly string[] {
    const ids = this.#ids.get(value);
    if (ids === undefined) return [];
    return typeof ids === "string" ? [ids] : ids;
  }

  add(value: string, id: string): void {
    const ids = this.find(value);
    if (ids.length === 0) this.#ids.set(value, id);
    else if (!ids.includes(id)) this.#ids.set(value, [...ids, id]);
  }

  remove(value: string, id: string): void {
    const [first, ...others] = this.find(value).filter((each) => each !== id);
    if (first === undefined) this.#ids.delete(value);
    else this.#ids.set(value, others.length === 0 ? first : [first, ...others]);
  }
}
