/**
 * A reflector for a kind that need not be there: its CRD may not be installed, or not permitted. That is said once, and
 * the operator goes on without; it is looked for again in a while, so that nobody has to restart anything.
 */
import { isApiError } from "../kubernetes/api-error.ts";
import { Reflector, type ReflectorOptions } from "../kubernetes/reflector.ts";
import { resourcePath } from "../kubernetes/resource.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { Part } from "../runtime/run-group.ts";

const LOOK_AGAIN_MS = 60_000;
/** After an answer that tells nothing: the users wait meanwhile. As the reflector's. */
const BACKOFF = { baseMs: 800, capMs: 30_000 };

export class OptionalReflector implements Part {
  readonly name: string;
  readonly #options: ReflectorOptions;
  readonly #known = Promise.withResolvers<boolean>();

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.name = `reflector of ${options.resource.plural}, where they are`;
  }

  /** Whether the kind was there at the first look that told. */
  get isThere(): Promise<boolean> {
    return this.#known.promise;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, resource } = this.#options;
    let isSaid = false;
    for (;;) {
      const why = await this.#whyNot(signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (signal.aborted) return;
      this.#known.resolve(why === undefined);
      if (why === undefined) break;
      if (!isSaid) log.info("going on without a kind of resource", { resource: resource.plural, why });
      isSaid = true;
      await clock.sleep(LOOK_AGAIN_MS, signal).catch(() => {});
      if (signal.aborted) return;
    }
    await new Reflector(this.#options).run(signal);
  }

  /** Undefined where it is there. What else is answered says neither, and passes: it is asked again. */
  async #whyNot(signal: AbortSignal): Promise<string | undefined> {
    const { api, resource, namespaces, clock, random, log } = this.#options;
    const path = resourcePath(resource, { namespace: namespaces === "all" ? undefined : namespaces[0] });
    for (let failures = 1; ; failures++) {
      try {
        await api.get(path, { limit: 1 }, signal);
        return undefined;
      } catch (error) {
        if (signal.aborted) throw error;
        if (isApiError(error, "not_found")) return "its CRD is not installed";
        if (isApiError(error, "forbidden")) return "the operator may not list it";
        log.warn("no telling whether a kind of resource is there", { resource: resource.plural, error, failures });
      }
      await clock.sleep(backoffMs(failures, BACKOFF, random), signal);
    }
  }
}
