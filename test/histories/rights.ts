/** What the operator's own roles allow, as an API server would judge by them: a history refuses everything else. */
import { readFileSync } from "node:fs";
import * as yaml from "js-yaml";
import { parsePath } from "./cluster.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly rules?: readonly Rule[];
}

export type Method = "GET" | "WATCH" | "POST" | "PATCH" | "DELETE";

const VERBS = { WATCH: "watch", POST: "create", PATCH: "patch", DELETE: "delete" } as const;

const MANIFESTS = yaml.loadAll(readFileSync("manifests/operator/rbac.yaml", "utf8")) as readonly Manifest[];
const EVERYWHERE = rulesOf("ClusterRole");
const AT_HOME = rulesOf("Role");
/** What the chart adds with `secrets.watch`. */
const WATCHED: readonly Rule[] = [{ apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] }];

export class Rights {
  readonly #home: string;
  readonly #watchSecrets: readonly string[];

  /** @param home the operator's own namespace */
  constructor(home: string, watchSecrets: readonly string[]) {
    this.#home = home;
    this.#watchSecrets = watchSecrets;
  }

  allow(method: Method, path: string): boolean {
    const { namespace, plural, name, isStatus } = parsePath(path);
    const group = /^\/apis\/([^/]+)/.exec(path)?.[1] ?? "";
    const resource = isStatus ? `${plural}/status` : plural;
    const verb = method === "GET" ? (name === undefined ? "list" : "get") : VERBS[method];
    const rules = [
      ...EVERYWHERE,
      ...(namespace === this.#home ? AT_HOME : []),
      ...(namespace !== undefined && this.#watchSecrets.includes(namespace) ? WATCHED : []),
    ];
    return rules.some(
      ({ apiGroups, resources, resourceNames, verbs }) =>
        apiGroups.includes(group) &&
        resources.includes(resource) &&
        verbs.includes(verb) &&
        (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
    );
  }
}

function rulesOf(kind: string): readonly Rule[] {
  return MANIFESTS.filter((manifest) => manifest.kind === kind).flatMap(({ rules = [] }) => rules);
}
