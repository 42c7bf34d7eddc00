/**
 * What people do in a history, each deed drawn by chance, and how: at the cluster with resources and their backups, at Auth0
 * with users (`people-at-auth0.ts`), and where they are asked (`people-answering.ts`). They make every mistake that the API server lets them make.
 */
import { ACTIONS_ANNOTATION } from "../../src/api/names.ts";
import { FINALIZER, STATE_SECRET, USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { drawRequest } from "./actions.ts";
import type { Chance } from "./chance.ts";
import { annotationsOf, asObject, finalizersOf, metadataOf, ownerOf } from "./cluster.ts";
import { grant, putPassword } from "./furnish.ts";
import type { HistoryKind } from "./kind.ts";
import { OPERATOR_NAMESPACE } from "./life.ts";
import { Manifests } from "./manifests.ts";
import { ACME, GLOBEX, NAMESPACES, PEOPLE, USERS, passwordOf, secretsIn, usersIn } from "./names.ts";
import { PeopleAnswering } from "./people-answering.ts";
import { PeopleAtAuth0 } from "./people-at-auth0.ts";
import { PeopleAtTenants } from "./people-at-tenants.ts";
import { readyOf } from "./reading.ts";
import { pathOf, resourcesIn, type Resource } from "./resources.ts";
import { assignmentsSpec } from "./assignments.ts";
import type { Stage } from "./stage.ts";

/** How often each deed is done, against the others. */
const DEEDS = {
  create: 22,
  editProfile: 12,
  editEmail: 6,
  editPolicies: 8,
  suspend: 2,
  delete: 10,
  rename: 4,
  copy: 3,
  forge: 2,
  letGoByForce: 1,
  backUp: 2,
  restoreOne: 3,
  restoreAll: 0.6,
  reapply: 2,
  signUp: 8,
  editUser: 6,
  deleteUser: 4,
  link: 2,
  unlink: 1,
  changeGrants: 1,
  changeDomain: 0.5,
} as const;
/** Where a plan waits for approval, deletions for a word; and where passwords are rotated. */
const SOME_DEEDS = {
  approve: 30,
  confirmPause: 20,
  rotatePassword: 8,
  losePassword: 4,
  editAssignments: 10,
  changeAssignment: 5,
  editUpkeep: 14,
  ask: 14,
  breakCredentials: 4,
  mendCredentials: 8,
  replaceTenant: 3,
} as const;
type Deed = keyof typeof DEEDS | keyof typeof SOME_DEEDS;
export const ALL_DEEDS: readonly string[] = Object.keys({ ...DEEDS, ...SOME_DEEDS });

export interface PeopleParts {
  readonly chance: Chance;
  readonly stage: Stage;
  readonly kind: HistoryKind;
  /** Ends the operator, and starts it again once `meanwhile` is done. */
  readonly restart: (meanwhile: () => void) => void;
}

interface Backup {
  readonly users: readonly JsonObject[];
}

export class People {
  readonly #parts: PeopleParts;
  readonly #manifests: Manifests;
  readonly #answering: PeopleAnswering;
  readonly #tenants: PeopleAtAuth0;
  readonly #objects: PeopleAtTenants;
  /** What was really done, and not only tried. */
  readonly done = new Set<Deed>();
  readonly #requests: string[] = [];
  #backup: Backup | undefined;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    const { chance, stage, kind } = parts;
    this.#manifests = new Manifests(chance, kind);
    this.#answering = new PeopleAnswering(chance, stage);
    this.#tenants = new PeopleAtAuth0(chance, stage, kind);
    this.#objects = new PeopleAtTenants(chance, stage);
  }

  /** One deed; in words, for the trace. */
  act(): string {
    const { chance } = this.#parts;
    const deed: Deed = chance.weighted({
      ...DEEDS,
      approve: this.#answering.planned.length > 0 ? SOME_DEEDS.approve : 0,
      confirmPause: this.#answering.paused.length > 0 ? SOME_DEEDS.confirmPause : 0,
      rotatePassword: this.#parts.kind.areRotating ? SOME_DEEDS.rotatePassword : 0,
      losePassword: this.#parts.kind.areRotating ? SOME_DEEDS.losePassword : 0,
      editAssignments: this.#parts.kind.areAssigning ? SOME_DEEDS.editAssignments : 0,
      changeAssignment: this.#parts.kind.areAssigning ? SOME_DEEDS.changeAssignment : 0,
      editUpkeep: this.#parts.kind.areParticular ? SOME_DEEDS.editUpkeep : 0,
      ask: this.#parts.kind.areAsking ? SOME_DEEDS.ask : 0,
      breakCredentials: this.#parts.kind.areMovingTenants ? SOME_DEEDS.breakCredentials : 0,
      mendCredentials: this.#parts.kind.areMovingTenants ? SOME_DEEDS.mendCredentials : 0,
      replaceTenant: this.#parts.kind.areMovingTenants ? SOME_DEEDS.replaceTenant : 0,
    });
    const what = this.#do(deed);
    if (what !== undefined) this.done.add(deed);
    return `person: ${deed}: ${what ?? "nothing to do it to"}`;
  }

  #do(deed: Deed): string | undefined {
    switch (deed) {
      case "create":
        return this.#create();
      case "editProfile":
        return this.#editOne(({ namespace, name }) => ({ ...this.#manifests.profile(namespace, name) }));
      case "editEmail":
        return this.#editOne(() => ({ email: this.#parts.chance.pick(PEOPLE) }));
      case "editPolicies":
        return this.#editOne(() => this.#manifests.policies(true));
      case "editUpkeep":
        return this.#editOne(() => this.#manifests.upkeep(true));
      case "ask":
        return this.#ask();
      case "breakCredentials":
        return this.#objects.breakCredentials();
      case "mendCredentials":
        return this.#objects.mendCredentials();
      case "replaceTenant":
        return this.#objects.replaceTenant();
      case "suspend":
        return this.#editOne(({ spec }) => ({ suspend: spec["suspend"] === true ? null : true }));
      case "delete":
        return this.#delete();
      case "rename":
        return this.#copy("rename");
      case "copy":
        return this.#copy("copy");
      case "forge":
        return this.#forge();
      case "letGoByForce":
        return this.#letGoByForce();
      case "backUp":
        this.#backup = { users: this.#parts.stage.cluster.objects(USERS) };
        return String(this.#backup.users.length);
      case "restoreOne":
        return this.#restoreOne();
      case "restoreAll":
        return this.#restoreAll();
      case "reapply":
        return this.#reapply();
      case "approve":
        return this.#answering.approve();
      case "editAssignments":
        return this.#editOne(({ spec }) =>
          spec["tenantRef"] === undefined ? assignmentsSpec(this.#parts.chance, true) : {},
        );
      case "changeAssignment":
        return this.#tenants.changeAssignment();
      case "rotatePassword":
        return this.#rotatePassword();
      case "losePassword":
        return this.#losePassword();
      case "confirmPause":
        return this.#answering.confirmPause();
      case "signUp":
        return this.#tenants.signUp();
      case "editUser":
        return this.#tenants.editUser();
      case "deleteUser":
        return this.#tenants.deleteUser();
      case "link":
        return this.#tenants.link();
      case "unlink":
        return this.#tenants.unlink();
      case "changeGrants": {
        const granted = NAMESPACES.filter(() => this.#parts.chance.happens(0.6));
        grant(this.#parts.stage, granted);
        return granted.join(",");
      }
      case "changeDomain": {
        const domain = this.#parts.chance.happens(0.5) ? ACME : GLOBEX;
        this.#parts.restart(() => {
          this.#parts.stage.ownDomain = domain;
        });
        return domain;
      }
      default:
        return deed satisfies never;
    }
  }

  #create(): string | undefined {
    const { chance, stage } = this.#parts;
    const namespace = chance.pick(NAMESPACES) ?? "a";
    const name = `u${String(chance.integer(5))}`;
    const pickTaken = (domain: string) => chance.pick(stage.sideOf(domain).users())?.user_id;
    return this.#apply(namespace, name, this.#manifests.newUser(namespace, name, pickTaken));
  }

  #apply(namespace: string, name: string, spec: JsonObject, annotations?: JsonObject): string | undefined {
    const { cluster } = this.#parts.stage;
    if (cluster.find(`${usersIn(namespace)}/${name}`) !== undefined) return undefined;
    const object = { kind: "Auth0User", metadata: { name, ...(annotations && { annotations }) }, spec };
    const { metadata } = cluster.create(usersIn(namespace), object, "person");
    return `${namespace}/${name} ${String(asObject(metadata)["uid"])} ${JSON.stringify(spec)} ${Object.values(
      annotations ?? {},
    )
      .map((text) => String(text).slice(0, 60))
      .join()}`;
  }

  #editOne(change: (resource: Resource) => JsonObject): string | undefined {
    const resource = this.#parts.chance.pick(this.resources());
    if (resource === undefined) return undefined;
    const spec = change(resource);
    this.#parts.stage.cluster.mergePatch(resource.path, { spec }, "person");
    return `${resource.key} ${JSON.stringify(spec)}`;
  }

  /** For something new, or once more for what somebody asked for before. */
  #ask(): string | undefined {
    const { chance, stage } = this.#parts;
    const resource = chance.pick(this.resources());
    if (resource === undefined) return undefined;
    const former = chance.happens(0.3) ? chance.pick(this.#requests) : undefined;
    const request = former ?? drawRequest(chance, this.#manifests.nextEdit());
    this.#requests.push(request);
    stage.cluster.mergePatch(resource.path, { metadata: { annotations: { [ACTIONS_ANNOTATION]: request } } }, "person");
    return `${resource.key} ${request}`;
  }

  #delete(): string | undefined {
    const resource = this.#parts.chance.pick(this.resources());
    if (resource === undefined) return undefined;
    this.#parts.stage.cluster.delete(resource.path, "person");
    return resource.key;
  }

  /** The manifest as `kubectl get -o yaml` shows it, under another name, or in another namespace. */
  #copy(how: "rename" | "copy"): string | undefined {
    const { chance } = this.#parts;
    const { cluster } = this.#parts.stage;
    const resource = chance.pick(this.resources());
    if (resource === undefined) return undefined;
    const namespace = how === "rename" ? resource.namespace : (chance.pick(NAMESPACES) ?? "a");
    const name = how === "rename" ? `${resource.name}x`.slice(-3) : resource.name;
    const spec = { ...resource.spec, ...this.#manifests.profile(namespace, name) };
    const annotations = chance.happens(0.6) ? resource.annotations : {};
    const applied = this.#apply(namespace, name, spec, annotations);
    if (applied === undefined) return undefined;
    if (how === "copy") return `${resource.key} to ${applied}`;
    cluster.delete(resource.path, "person");
    return `${resource.key} to ${applied}`;
  }

  /** Somebody else's claim, whole or made up. */
  #forge(): string | undefined {
    const { chance } = this.#parts;
    const { cluster } = this.#parts.stage;
    const [resource, other] = [chance.pick(this.resources()), chance.pick(this.resources())];
    if (resource === undefined || other === undefined || resource === other) return undefined;
    const text = other.annotations[USER_ID_ANNOTATION];
    if (text === undefined) return undefined;
    const forged = chance.happens(0.5) ? text : text.replace(/[^;]*$/, "unsigned");
    cluster.mergePatch(resource.path, { metadata: { annotations: { [USER_ID_ANNOTATION]: forged } } }, "person");
    return `${resource.key} ${forged.slice(0, 70)}`;
  }

  #rotatePassword(): string {
    const { chance, stage } = this.#parts;
    const namespace = chance.pick(NAMESPACES) ?? "a";
    const password = passwordOf(namespace, this.#manifests.nextEdit());
    putPassword(stage, namespace, password);
    return password;
  }

  /** It is gone, or consents no more. */
  #losePassword(): string | undefined {
    const { chance, stage } = this.#parts;
    const path = `${secretsIn(chance.pick(NAMESPACES) ?? "a")}/password`;
    if (stage.cluster.find(path) === undefined) return undefined;
    if (chance.happens(0.5)) stage.cluster.delete(path, "person");
    else stage.cluster.mergePatch(path, { metadata: { labels: null } }, "person");
    return path;
  }

  #letGoByForce(): string | undefined {
    const { chance } = this.#parts;
    const { cluster } = this.#parts.stage;
    const resource = chance.pick(this.resources());
    if (resource === undefined) return undefined;
    cluster.mergePatch(resource.path, { metadata: { finalizers: null } }, "person");
    if (cluster.find(resource.path) !== undefined) cluster.delete(resource.path, "person");
    return resource.key;
  }

  #restoreOne(): string | undefined {
    const { chance } = this.#parts;
    const { cluster } = this.#parts.stage;
    const gone = (this.#backup?.users ?? []).filter((object) => cluster.find(pathOf(object)) === undefined);
    const object = chance.pick(gone);
    return object && this.#restore(object, chance.happens(0.5));
  }

  /** Without status, and with another uid; finalizers as the tool keeps them or not. */
  #restore(object: JsonObject, keepsFinalizers: boolean): string | undefined {
    const { namespace, name } = metadataOf(object);
    const finalizers = keepsFinalizers && finalizersOf(object).includes(FINALIZER) ? [FINALIZER] : undefined;
    const metadata = { name, annotations: annotationsOf(object), finalizers };
    const restored = { kind: "Auth0User", metadata, spec: object["spec"] };
    const { cluster } = this.#parts.stage;
    const { uid } = metadataOf(cluster.create(usersIn(String(namespace)), restored, "person"));
    return `${String(namespace)}/${String(name)} ${String(uid)}`;
  }

  /** The whole cluster is lost, and made again from the last backup; sometimes the operator's own Secret is forgotten. */
  #restoreAll(): string | undefined {
    const { chance, restart } = this.#parts;
    const { cluster, books } = this.#parts.stage;
    const backup = this.#backup;
    if (backup === undefined) return undefined;
    const areKeysLost = chance.happens(0.2);
    const keepsFinalizers = chance.happens(0.5);
    const restored: (string | undefined)[] = [];
    restart(() => {
      const kept = new Map(cluster.snapshot());
      for (const [path, object] of kept) {
        const isKeys = areKeysLost && path === `${secretsIn(OPERATOR_NAMESPACE)}/${STATE_SECRET}`;
        if (isKeys || path.includes("/auth0users/") || ownerOf(object) !== undefined) kept.delete(path);
      }
      cluster.reset(kept);
      books.noteClusterLost();
      if (areKeysLost) books.noteKeysLost();
      for (const object of backup.users) restored.push(this.#restore(object, keepsFinalizers));
    });
    return `${areKeysLost ? "without keys, " : ""}${restored.join(" ")}`;
  }

  /** `kubectl get -o yaml`, deleted, and applied again later. */
  #reapply(): string | undefined {
    const { chance } = this.#parts;
    const { cluster } = this.#parts.stage;
    const resource = chance.pick(this.resources().filter(({ isDeleting }) => isDeleting));
    if (resource === undefined) return undefined;
    cluster.mergePatch(resource.path, { spec: { deletionPolicy: chance.pick(["Retain", "Delete"]) } }, "person");
    return `${resource.key} policy while it is deleted`;
  }

  // ---- at the end ----

  /** What they broke by mistake is as it was in the beginning. */
  mend(): void {
    const { kind, stage } = this.#parts;
    if (kind.areMovingTenants) this.#objects.mendAll();
    if (!kind.areRotating) return;
    // The first password once more would be A, B, A to a pass that was told of B and could not note it.
    for (const namespace of NAMESPACES) {
      putPassword(stage, namespace, passwordOf(namespace, this.#manifests.nextEdit()));
    }
  }

  /** Everything that is as declared is declared anew. */
  editAllReady(): readonly Resource[] {
    const ready = this.resources().filter(({ object }) => readyOf(object).status === "True");
    for (const { namespace, name, path } of ready) {
      this.#parts.stage.cluster.mergePatch(path, { spec: this.#manifests.profile(namespace, name) }, "person");
    }
    return ready;
  }

  /** Everything that waits for a person is answered, and every resource deleted. */
  clearUp(): void {
    const { cluster, books } = this.#parts.stage;
    grant(this.#parts.stage, NAMESPACES);
    for (const resource of this.resources()) {
      const claim = books.claimOf(resource.uid);
      const policy = { deletionPolicy: "Retain" };
      if (readyOf(resource.object).reason === "TenantChanged" && claim !== undefined) {
        cluster.mergePatch(resource.path, { spec: policy }, "person");
      }
      cluster.delete(resource.path, "person");
    }
  }

  /** Says to each refusal to delete what its message asks for. */
  confirm(): boolean {
    return this.#answering.confirmAll();
  }

  resources(): readonly Resource[] {
    return resourcesIn(this.#parts.stage.cluster);
  }
}
