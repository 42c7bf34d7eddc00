/** What people answer in a history where the operator asks for their word: on a takeover, a pause, a deletion. */
import { APPROVE_PLAN_ANNOTATION, CONFIRM_DELETION_ANNOTATION } from "../../src/api/names.ts";
import type { Chance } from "./chance.ts";
import { pauseIn, planIn, readyOf } from "./reading.ts";
import { resourcesIn, type Resource } from "./resources.ts";
import type { Stage } from "./stage.ts";

/** For a pause that never was. */
const OLD_WORD = "2025-12-31T00:00:00.000Z";

export class PeopleAnswering {
  readonly #chance: Chance;
  readonly #stage: Stage;

  constructor(chance: Chance, stage: Stage) {
    this.#chance = chance;
    this.#stage = stage;
  }

  /** Whose takeover waits for approval. */
  get planned(): readonly Resource[] {
    return resourcesIn(this.#stage.cluster).filter(({ object }) => planIn(object) !== undefined);
  }

  /** Whose deletion is paused. */
  get paused(): readonly Resource[] {
    return resourcesIn(this.#stage.cluster).filter(({ object }) => pauseIn(object) !== undefined);
  }

  /** The plan of a takeover as it stands; now and then in the name of another resource. */
  approve(): string | undefined {
    const planned = this.#chance.pick(this.planned);
    if (planned === undefined) return undefined;
    const other = this.#chance.happens(0.2) ? this.#chance.pick(resourcesIn(this.#stage.cluster)) : undefined;
    const { key, path } = other ?? planned;
    this.#annotate(path, APPROVE_PLAN_ANNOTATION, planIn(planned.object)?.hash ?? "");
    return `${key} the plan of ${planned.key}`;
  }

  /** As the message of a paused deletion says; now and then with an old word. */
  confirmPause(): string | undefined {
    const paused = this.#chance.pick(this.paused);
    const pause = paused && pauseIn(paused.object);
    if (pause === undefined) return undefined;
    const word = this.#chance.happens(0.3) ? OLD_WORD : pause.word;
    this.#annotate(pause.path, CONFIRM_DELETION_ANNOTATION, word);
    return `${pause.path} ${word}`;
  }

  /** Says to each refusal to delete what its message asks for. */
  confirmAll(): boolean {
    let isAnything = false;
    for (const { object, path, isDeleting } of resourcesIn(this.#stage.cluster)) {
      const { reason, message } = readyOf(object);
      if (!isDeleting) continue;
      const pause = pauseIn(object);
      const [, id] = /confirm-deletions: "([^"]+)"/.exec(message) ?? [];
      if (reason === "DeletionNeedsConfirmation" && id !== undefined) {
        this.#annotate(path, CONFIRM_DELETION_ANNOTATION, id);
      } else if (reason === "TenantChanged") {
        this.#stage.cluster.mergePatch(path, { spec: { deletionPolicy: "Retain" } }, "person");
      } else if (pause !== undefined) {
        this.#annotate(pause.path, CONFIRM_DELETION_ANNOTATION, pause.word);
      } else continue;
      isAnything = true;
    }
    return isAnything;
  }

  #annotate(path: string, name: string, text: string): void {
    this.#stage.cluster.mergePatch(path, { metadata: { annotations: { [name]: text } } }, "person");
  }
}
