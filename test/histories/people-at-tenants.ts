/** What people do in a history to the tenant object and its credentials, by mistake and to mend it. */
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import { asObject } from "./cluster.ts";
import { putCredentials } from "./furnish.ts";
import { OPERATOR_NAMESPACE } from "./life.ts";
import { ACME, CLUSTER_TENANTS, GLOBEX, secretsIn } from "./names.ts";
import type { Stage } from "./stage.ts";

const CREDENTIALS = `${secretsIn(OPERATOR_NAMESPACE)}/acme`;
const TENANT = `${CLUSTER_TENANTS}/acme`;

export class PeopleAtTenants {
  readonly #chance: Chance;
  readonly #stage: Stage;

  constructor(chance: Chance, stage: Stage) {
    this.#chance = chance;
    this.#stage = stage;
  }

  /** The credentials are gone, or wrong. */
  breakCredentials(): string | undefined {
    const { cluster } = this.#stage;
    if (cluster.find(CREDENTIALS) === undefined) return undefined;
    if (this.#chance.happens(0.5)) {
      cluster.delete(CREDENTIALS, "person");
      return "gone";
    }
    putCredentials(this.#stage, { clientSecret: "wrong" });
    return "wrong";
  }

  mendCredentials(): string {
    putCredentials(this.#stage);
    return "as they were";
  }

  /** The object is let go by force, and made anew, for the same tenant or for another one. */
  replaceTenant(domain = this.#chance.pick([ACME, GLOBEX]) ?? ACME): string {
    const { cluster } = this.#stage;
    const { spec } = cluster.get(TENANT);
    const metadata: JsonObject = { finalizers: null };
    cluster.mergePatch(TENANT, { metadata }, "person");
    cluster.delete(TENANT, "person");
    cluster.create(CLUSTER_TENANTS, { metadata: { name: "acme" }, spec: { ...asObject(spec), domain } }, "person");
    this.#stage.tenantDomain = domain;
    return domain;
  }

  /** All is as it was in the beginning. */
  mendAll(): void {
    this.mendCredentials();
    if (this.#stage.tenantDomain !== ACME) this.replaceTenant(ACME);
  }
}
