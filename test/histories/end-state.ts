/** What a resource must be once everything has come to rest: as declared, or truthful about why not. */
import { APPROVE_PLAN_ANNOTATION } from "../../src/api/names.ts";
import { USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import { findWrongAnswer } from "./actions.ts";
import { findWrongAssignment } from "./assignments.ts";
import { asObject, metadataOf, ownerOf, type Cluster } from "./cluster.ts";
import { SYNC_INTERVAL_MS } from "./life.ts";
import { CLUSTER_TENANTS, DATABASE, PASSWORDLESS, secretsIn, usersIn } from "./names.ts";
import { awaitedIn, conditionOf, keyOf, planIn, readyOf } from "./reading.ts";
import type { Resource } from "./resources.ts";
import type { Stage } from "./stage.ts";
import type { TenantSide, WireUser } from "./tenant-side.ts";
import { mustBeRemoved, whyNotKept } from "./upkeep.ts";

/** By then every user was compared with Auth0 once more. */
const LOOKED_AGAIN_MS = 1.1 * SYNC_INTERVAL_MS;

export interface Finding {
  /** `undefined`: nothing. */
  readonly wrong: string | undefined;
  readonly reason: string;
}

export function findWrong(resource: Resource, stage: Stage): Finding {
  const { status, reason, message } = readyOf(resource.object);
  const told = `${reason}: ${message}`;
  const wrong =
    resource.spec["suspend"] === true && !resource.isDeleting
      ? undefined
      : status === "True"
        ? whyNotReady(resource, stage)
        : isTrue(resource, reason, stage)
          ? undefined
          : told;
  const { generation } = metadataOf(resource.object);
  const { observedGeneration } = asObject(resource.object["status"]);
  if (wrong === undefined && generation !== observedGeneration) {
    return { wrong: `generation ${String(generation)} was never looked at: ${told}`, reason };
  }
  return { wrong, reason };
}

/** What is wrong with a resource that says it is as declared. */
function whyNotReady(resource: Resource, stage: Stage): string | undefined {
  const { object, spec, uid, key, isDeleting } = resource;
  if (isDeleting) return "it says to be ready, and is being deleted";
  const { userId } = asObject(object["status"]);
  const domain = stage.domainOf(spec);
  const user = stage.sideOf(domain).find(String(userId));
  if (user === undefined) return `it says to be ready, and ${domain} has no ${String(userId)}`;
  const [holder] = stage.books.claimsOn(keyOf(domain, user.user_id));
  if (holder?.uid !== uid) return `it says to be ready, and ${user.user_id} is claimed by ${String(holder?.uid)}`;
  return (
    findWrongAnswer(key, object, stage.books.actions) ??
    findWrongPassword(resource, user, stage) ??
    findWrongAssignment(spec, (kind) => stage.sideOf(domain).assignments.of(user.user_id, kind)) ??
    findWrongAttribute(resource, user, stage)
  );
}

function findWrongPassword({ object, spec, namespace }: Resource, user: WireUser, stage: Stage): string | undefined {
  const isToBeSent = asObject(spec["password"])["policy"] === "OnChange";
  if (!isToBeSent || conditionOf(object, "PasswordSynced").status !== "True") return undefined;
  const secret = stage.cluster.find(`${secretsIn(namespace)}/${generatedNameIn(spec) ?? "password"}`);
  const password = String(asObject(secret?.["data"])["password"]);
  const side = stage.sideOf(stage.domainOf(spec));
  const isSent = side.hasPassword(user.user_id, Buffer.from(password, "base64").toString());
  return isSent ? undefined : "it says that the password was sent, and it was not";
}

function findWrongAttribute({ object, spec, uid }: Resource, user: WireUser, stage: Stage): string | undefined {
  const { books } = stage;
  const metadata = asObject(user["user_metadata"]);
  const { driftedAttributes } = asObject(object["status"]);
  const specs = (books.resources.get(uid)?.versions ?? []).map((version) => version.spec);
  const attributes = [
    ["email", user.email],
    ["givenName", user["given_name"]],
    ["familyName", user["family_name"]],
    ["nickname", user["nickname"]],
    ["blocked", user["blocked"] ?? false],
    ["userMetadata.by", metadata["by"]],
    ["userMetadata.edit", metadata["edit"]],
  ] as const;
  for (const [path, found] of attributes) {
    const wrong = whyNotKept(path, found, spec, driftedAttributes);
    if (wrong !== undefined) return `it says to be ready, and ${wrong}`;
    const isOurs = books.lastWrites.isOf(uid, keyOf(stage.domainOf(spec), user.user_id), path, found);
    if (isOurs && found !== null && mustBeRemoved(path, specs))
      return `it says to be ready, and ${path}, which left the spec, is still there: ${JSON.stringify(found)}`;
  }
  return undefined;
}

/** The Secret that the operator puts a password into. */
function generatedNameIn(spec: Resource["spec"]): string | undefined {
  const { generate } = asObject(spec["password"]);
  return generate === undefined ? undefined : String(asObject(generate)["secretName"]);
}

/** Whether what keeps it from being ready is so. */
function isTrue(resource: Resource, reason: string, stage: Stage): boolean {
  const { object, spec, uid, annotations, key, isDeleting } = resource;
  const { books, cluster } = stage;
  const domain = stage.domainOf(spec);
  const side = stage.sideOf(domain);
  const { message } = readyOf(object);
  const claim = books.claimOf(uid);
  const [claimedDomain, claimedId] = claim?.user.split(" ") ?? [];
  const text = annotations[USER_ID_ANNOTATION];
  const others = holdersOf(spec, side).filter(({ user_id: id }) => id !== claimedId);
  const { userId } = asObject(object["status"]);
  switch (reason) {
    case "UserConflict": {
      const isUnproven = text !== undefined && !books.isProvable(key, text);
      const isContradicted = spec["userId"] !== undefined && claimedId !== undefined && spec["userId"] !== claimedId;
      const named = side.find(String(spec["userId"]));
      const isElsewhere = named !== undefined && named.identities[0]?.connection !== spec["connection"];
      return others.length > 0 || isUnproven || isContradicted || isElsewhere || isLinkedIn(spec, side);
    }
    case "DuplicateClaim": {
      if (isAboutRecreated(message, side, cluster)) return true;
      const awaited = keyOf(domain, awaitedIn(object) ?? "");
      if (books.wasReaddressed(awaited, stage.time.nowMs - LOOKED_AGAIN_MS)) return true;
      const wanted = [String(spec["userId"]), claimedId ?? "", ...others.map(({ user_id: id }) => id)];
      const annotated = text?.split(";")[0] ?? "";
      return [...wanted, annotated].some((id) => {
        const user = side.find(id);
        const isForeign = user !== undefined && books.isMarkedByLostKeys(user);
        const isClaimed = (books.claimsOn(keyOf(domain, id))[0]?.uid ?? uid) !== uid;
        const isMade = books.isMadeForAnother(keyOf(domain, id), uid);
        return isForeign || isClaimed || isMade || books.isNamedByAnother(keyOf(domain, id), uid);
      });
    }
    case "AwaitingApproval": {
      // It is compared with the user once an hour, who may be gone by now. Without keys it has no hash.
      const isApproved = planIn(object)?.hash === (annotations[APPROVE_PLAN_ANNOTATION] ?? "");
      return spec["adoptionPolicy"] === "Review" && !isApproved;
    }
    case "UserNotFound":
      return [spec["userId"], userId, claimedId, text?.split(";")[0]].some(
        (id) => typeof id === "string" && side.find(id) === undefined,
      );
    case "AttributeNotWritable":
      return spec["connection"] === PASSWORDLESS; // whose address can't be changed
    case "RecreationScheduled": {
      const [, dueAt = ""] = /after (\S+Z) /.exec(message) ?? [];
      return side.find(claimedId ?? String(userId)) === undefined && Date.parse(dueAt) > stage.time.nowMs;
    }
    case "UserLinked": {
      const id = claimedId ?? String(userId);
      return side
        .users()
        .some(({ identities }) => identities.slice(1).some((one) => `${one.provider}|${one.user_id}` === id));
    }
    case "NotGranted":
      return spec["tenantRef"] !== undefined && !isAdoptGranted(cluster, resource.namespace);
    case "TenantChanged":
      return (
        (claimedDomain ?? asObject(object["status"])["tenantDomain"]) !== domain ||
        text?.includes(`;${domain};`) === false
      );
    case "SecretNotOwned": {
      const path = `${secretsIn(resource.namespace)}/${generatedNameIn(spec) ?? ""}`;
      const owner = ownerOf(cluster.find(path) ?? {});
      return owner !== undefined && owner !== uid && books.resources.get(owner)?.isGone === false;
    }
    case "DeletionPaused":
      return isDeleting && books.protection.isPaused(object);
    case "DeletionNeedsConfirmation": {
      const user = side.find(claimedId ?? String(userId));
      return (
        isDeleting &&
        user !== undefined &&
        (user.identities.length > 1 || user.identities[0]?.connection !== spec["connection"])
      );
    }
    default:
      return false;
  }
}

/** Who may not follow learns at its next look only that the holder has another user by now. */
function isAboutRecreated(message: string, side: TenantSide, cluster: Cluster): boolean {
  const [, userId = "", namespace = "", name = ""] = /^(\S+) belongs to Auth0User ([^/]+)\/(\S+), /.exec(message) ?? [];
  const holder = cluster.find(`${usersIn(namespace)}/${name}`);
  return side.find(userId) === undefined && holder !== undefined && readyOf(holder).reason === "Recreated";
}

/** The users that have what would identify this one. */
function holdersOf({ email, connection }: Resource["spec"], side: TenantSide): readonly WireUser[] {
  const asStored = connection === DATABASE ? String(email).toLowerCase() : email;
  return side.users().filter((user) => user.email === asStored && user.identities[0]?.connection === connection);
}

/** Whether an account with this address was linked into a user's, by which it is not found. */
function isLinkedIn({ email, connection }: Resource["spec"], side: TenantSide): boolean {
  const linked = side.users().flatMap(({ identities }) => identities.slice(1));
  return linked.some(
    (identity) =>
      identity.connection === connection && identity.profileData?.email?.toLowerCase() === String(email).toLowerCase(),
  );
}

function isAdoptGranted(cluster: Cluster, namespace: string): boolean {
  const { grants } = asObject(cluster.get(`${CLUSTER_TENANTS}/acme`)["spec"]);
  return (Array.isArray(grants) ? grants : []).map(asObject).some(({ adopt, namespaces }) => {
    const { names } = asObject(namespaces);
    return adopt === true && Array.isArray(names) && names.includes(namespace);
  });
}
