/** What people write into manifests, drawn by chance. */
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import type { HistoryKind } from "./kind.ts";
import { ACME, DATABASE, GLOBEX, PASSWORDLESS, PEOPLE } from "./names.ts";
import { assignmentsSpec } from "./assignments.ts";
import { upkeepSpec } from "./upkeep.ts";

export class Manifests {
  readonly #chance: Chance;
  readonly #kind: HistoryKind;
  #edits = 0;

  constructor(chance: Chance, kind: HistoryKind) {
    this.#chance = chance;
    this.#kind = kind;
  }

  /** Tells every edit from every other. */
  nextEdit(): number {
    return ++this.#edits;
  }

  /** @param pickTaken the id of a user that is there, to be taken over now and then */
  newUser(namespace: string, name: string, pickTaken: (domain: string) => string | undefined): JsonObject {
    const chance = this.#chance;
    const domain = chance.happens(0.5) ? ACME : GLOBEX;
    const connection = chance.happens(0.85) ? DATABASE : PASSWORDLESS;
    const taken = pickTaken(domain);
    return {
      ...(domain === ACME && { tenantRef: { kind: "ClusterAuth0Tenant", name: "acme" } }),
      connection,
      email: chance.pick(PEOPLE),
      ...(connection === DATABASE && { password: this.#password(name) }),
      ...this.profile(namespace, name),
      ...this.policies(false),
      ...(this.#kind.areParticular && this.upkeep(false)),
      ...(this.#kind.areAssigning && domain === GLOBEX && assignmentsSpec(chance, false)),
      ...(chance.happens(0.12) && taken !== undefined && { userId: taken }),
    };
  }

  profile(namespace: string, name: string): JsonObject {
    const chance = this.#chance;
    const edit = String(this.nextEdit());
    return {
      givenName: `${namespace}/${name} ${edit}`,
      userMetadata: { by: `${namespace}/${name}`, ...(chance.happens(0.5) && { edit }) },
      ...(chance.happens(0.3) && { nickname: `n ${namespace}/${name} ${edit}` }),
      ...(chance.happens(0.2) && { blocked: chance.happens(0.5) }),
    };
  }

  /** @param isEdit whether what is not said takes back what was said before */
  policies(isEdit: boolean): JsonObject {
    const chance = this.#chance;
    const one = (...values: readonly (string | undefined)[]): string | null | undefined =>
      chance.pick(values) ?? (isEdit ? null : undefined);
    return withoutUndefined({
      adoptionPolicy: one(undefined, undefined, "Never", "Adopt", this.#kind.areReviewers ? "Review" : "Adopt"),
      deletionPolicy: one(undefined, undefined, undefined, "Delete", "Delete", "Retain", "Disable"),
      recreatePolicy: one(undefined, undefined, "Recreate", "Report"),
      recreateAfter: one(undefined, "0s", "5m"),
      deleteAfter: chance.happens(0.1) ? "10m" : isEdit ? null : undefined,
    });
  }

  /** @param isEdit whether what is not said takes back what was said before */
  upkeep(isEdit: boolean): JsonObject {
    return upkeepSpec(this.#chance, isEdit, String(this.nextEdit()));
  }

  #password(name: string): JsonObject {
    const chance = this.#chance;
    const isGenerated = this.#kind.areGenerating && chance.happens(0.5);
    const source = isGenerated ? { generate: { secretName: `p-${name}` } } : { secretRef: { name: "password" } };
    return { ...source, policy: chance.pick(["OnCreate", "OnChange"]) };
  }
}

function withoutUndefined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
