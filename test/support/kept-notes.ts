/** The notes of a breaker as an API server keeps them: whoever writes must have read what stands there. */
import type { BreakerNotes } from "../../src/operator/breaker.ts";

/** What the cluster keeps, whoever writes it. */
export class Kept {
  text: string | undefined;
  version = 0;
  /** A person's word. */
  confirmation: string | undefined;
}

export class KeptNotes implements BreakerNotes {
  readonly #kept: Kept;
  #readVersion = 0;
  readonly told: string[] = [];
  writes = 0;

  constructor(kept = new Kept()) {
    this.#kept = kept;
  }

  read() {
    this.#readVersion = this.#kept.version;
    return Promise.resolve({ text: this.#kept.text, confirmation: this.#kept.confirmation });
  }

  write(text: string): Promise<void> {
    if (this.#readVersion !== this.#kept.version) return Promise.reject(new Error("conflict"));
    this.#kept.text = text;
    this.#readVersion = ++this.#kept.version;
    this.writes++;
    return Promise.resolve();
  }

  set confirmation(word: string) {
    this.#kept.confirmation = word;
  }

  set text(text: string) {
    this.#kept.text = text;
  }

  tell(message: string): void {
    this.told.push(message);
  }

  confirmCommand(confirmation: string): string {
    return `confirm ${confirmation}`;
  }
}
