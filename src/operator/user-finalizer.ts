/** The end of an Auth0User: its user is dealt with first, then the finalizer comes off. */
import { desiredUserFrom } from "../api/desired-user.ts";
import { CONFIRM_DELETION_ANNOTATION } from "../api/names.ts";
import { validateUserSpec } from "../api/validate.ts";
import type { DesiredUser } from "../core/desired-user.ts";
import { findNotGranted } from "../core/grants.ts";
import { connectionName, type ConnectionName } from "../core/ids.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import { deleteUser, type DeletionOutcome } from "../reconcile/delete-user.ts";
import { bearsMarkerOf } from "../reconcile/marker.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { FINALIZER } from "./names.ts";
import { ResourceClaims } from "./resource-claims.ts";
import { resultOf } from "./result.ts";
import { isNews, referenceTo, writeStatus } from "./status-writer.ts";
import { auth0UserPath, type UserParts } from "./user-parts.ts";
import { ownershipOf } from "./user-ownership.ts";
import { statusWith } from "./user-status.ts";

/** @throws ApiError */
export async function finalizeUser(
  resource: Auth0UserResource,
  parts: UserParts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!resource.finalizers.includes(FINALIZER)) return { kind: "done" };
  const outcome = await endOf(resource, parts, signal);
  if (outcome.kind === "refused") return refuse(resource, outcome, parts, signal);

  const { reason, message } = outcome;
  if (reason !== undefined) {
    parts.recorder.event({ regarding: referenceTo(resource), type: "Normal", reason, action: "Delete", note: message });
    parts.log.info("user let go", { key: resource.key, reason, message });
  }
  const finalizers = resource.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const { key, resourceVersion } = resource;
  const patch = { metadata: { resourceVersion, finalizers } };
  await parts.store.write(key, resourceVersion, () => parts.api.mergePatch(auth0UserPath(resource), patch, signal));
  parts.memories.forget(resource.key);
  return { kind: "done" };
}

async function endOf(resource: Auth0UserResource, parts: UserParts, signal: AbortSignal): Promise<DeletionOutcome> {
  const { spec, annotations, key, uid } = resource;
  if (spec["suspend"] === true) {
    return { kind: "released", reason: "Retained", message: "the user stays at Auth0: spec.suspend is true" };
  }
  const validated = validateUserSpec(spec);
  const connection = connectionOf(resource);
  const desired = validated.kind === "valid" ? desiredUserFrom(validated.value, []) : undefined;
  const { keyring } = parts.stateKeys;
  const marked = { ...resource, tenantDomain: parts.directory.tenantDomain };
  return deleteUser(
    {
      ownership: ownershipOf(resource, connection, undefined, new ResourceClaims(resource, parts).parse(), parts),
      connection,
      policy:
        spec["deletionPolicy"] === "Retain" || spec["deletionPolicy"] === "Delete" ? spec["deletionPolicy"] : undefined,
      lastSeen: parts.memories.find(key, uid)?.memory.lastSeen,
      confirmedId: annotations[CONFIRM_DELETION_ANNOTATION],
      desired,
      notGranted: await findRefusal(resource, desired, parts, signal),
      isMarked: (user) => bearsMarkerOf(user, marked, keyring),
    },
    parts,
    signal,
  );
}

/** A grant that was taken back stops deletions, too. Of a spec that is not valid any more only the least is asked. */
async function findRefusal(
  { namespace, spec }: Auth0UserResource,
  desired: DesiredUser | undefined,
  { tenant }: UserParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const grants = await tenant.grantsFor(namespace, signal);
  if (grants === "all") return undefined;
  const adopts = spec["userId"] !== undefined;
  const missing =
    desired === undefined
      ? grants.length === 0 && ["anything at all (grants)"]
      : findNotGranted(grants, { desired, adopts, setsPassword: false });
  if (missing === false || missing.length === 0) return undefined;
  return `${tenant.title} does not grant namespace ${namespace}: ${missing.join("; ")}; to let go of the resource set deletionPolicy: Retain`;
}

/** Where the user is, whatever the spec says by now. */
function connectionOf({ spec, status }: Auth0UserResource): ConnectionName {
  return connectionName(status.connection ?? String(spec["connection"]));
}

async function refuse(
  resource: Auth0UserResource,
  { reason, message, remedy }: Extract<DeletionOutcome, { kind: "refused" }>,
  parts: UserParts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { generation, status, key } = resource;
  const verdict = { kind: "refused", reason, message, remedy, isRestDone: false } as const;
  if (isNews(status, reason, message)) {
    parts.recorder.event({
      regarding: referenceTo(resource),
      type: "Warning",
      reason,
      action: "Delete",
      note: message,
    });
    parts.log.warn("user not deleted", { key, reason, message });
  }
  await writeStatus(resource, statusWith(status, verdict, { generation, nowMs: parts.clock.now() }), parts, signal);
  return resultOf(remedy, parts.clock.now());
}
