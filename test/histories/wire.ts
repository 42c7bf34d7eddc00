/**
 * What is under way between one life of the operator and both far sides. Each call has two legs, request and answer; the
 * history decides which arrives when, which is lost, and where the process dies in between.
 */

export interface Call {
  /** In words, for the trace. */
  readonly what: string;
  readonly isServed: boolean;
  readonly sentAtStep: number;
}

/** The far side answers with such a status, before the work or in its stead. */
export interface Mishap {
  readonly status: number;
  readonly isDone: boolean;
}

export type Serve<T> = (sentAtStep: number, mishap: Mishap | undefined) => T;

interface Pending extends Call {
  isServed: boolean;
  readonly serve: Serve<unknown>;
  /** What the caller gets where no answer comes. */
  readonly lost: () => Error;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  end: () => void;
}

export class Wire {
  #isCut = false;
  readonly #pending = new Set<Pending>();
  readonly #stepNow: () => number;

  /** @param stepNow counts what happens in the history */
  constructor(stepNow: () => number) {
    this.#stepNow = stepNow;
  }

  /** @param serve does the work at the far side; throws what the far side refuses */
  send<T>(what: string, serve: Serve<T>, lost: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isCut) return;
      const take = (value: unknown): void => {
        resolve(value as T);
      };
      this.#pending.add({
        what,
        isServed: false,
        sentAtStep: this.#stepNow(),
        serve,
        lost,
        resolve: take,
        reject,
        end: () => {},
      });
    });
  }

  get calls(): readonly Call[] {
    return [...this.#pending];
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The call moves on by one leg. @param mishap what becomes of a request */
  advance(call: Call, mishap?: Mishap): void {
    const pending = this.#of(call);
    if (pending.isServed) {
      this.#pending.delete(pending);
      pending.end();
      return;
    }
    pending.isServed = true;
    try {
      const answer = pending.serve(pending.sentAtStep, mishap);
      pending.end = () => {
        pending.resolve(answer);
      };
    } catch (error) {
      pending.end = () => {
        pending.reject(error);
      };
    }
  }

  /** No answer comes; the work was done or not, as far as the call had come. */
  lose(call: Call): void {
    const pending = this.#of(call);
    this.#pending.delete(pending);
    pending.reject(pending.lost());
  }

  /** The process is gone. Of what it had sent, some may still arrive. */
  cut(arrives: (call: Call) => boolean): void {
    this.#isCut = true;
    for (const pending of this.#pending) {
      if (!pending.isServed && arrives(pending)) this.advance(pending);
    }
    this.#pending.clear();
  }

  #of(call: Call): Pending {
    for (const pending of this.#pending) if (pending === call) return pending;
    throw new Error(`not under way: ${call.what}`);
  }
}
