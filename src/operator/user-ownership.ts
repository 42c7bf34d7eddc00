/** The facts about one resource that decide whose user it is. */
import { tenantDomain, userId, type ConnectionName, type UserId } from "../core/ids.ts";
import { decideOwnership, type Claim, type Ownership } from "../core/ownership.ts";
import { connectionName } from "../core/ids.ts";
import { Marker } from "../reconcile/marker.ts";
import { canChooseId } from "../reconcile/ports.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { CLAIMED_BY_ANNOTATION, FINALIZER, USER_ID_ANNOTATION } from "./names.ts";
import type { UserParts } from "./user-parts.ts";

/** The id that a new user of this resource gets: nobody else's can be the same, and any later pass finds it again. */
export function derivedIdOf({ uid }: Auth0UserResource, connection: ConnectionName): UserId | undefined {
  return canChooseId(connection) ? userId(`auth0|${uid}`) : undefined;
}

/** Where the id proves nothing, or the tenant wants it, users that the resource created are marked, too. */
export function markerOf(
  resource: Auth0UserResource,
  connection: ConnectionName,
  { directory, stateKeys, tenant }: UserParts,
): Marker {
  const { namespace, name, uid } = resource;
  const marked = { namespace, name, uid, tenantDomain: directory.tenantDomain };
  const marksCreated = !canChooseId(connection) || tenant.marksAllUsers;
  return new Marker(marked, stateKeys.keyring, { marksCreated });
}

/** Whether the status was lost with a former incarnation: the resource carries a claim that it did not make itself. */
export function isRestored({ status, annotations, uid }: Auth0UserResource, ownership: Ownership): boolean {
  const isClaiming = annotations[USER_ID_ANNOTATION] !== undefined && ownership.kind !== "creating";
  return status.userId === undefined && isClaiming && annotations[CLAIMED_BY_ANNOTATION] !== uid;
}

export function ownershipOf(
  resource: Auth0UserResource,
  connection: ConnectionName,
  adoptedId: UserId | undefined,
  claim: Claim | "unreadable" | undefined,
  { directory }: UserParts,
): Ownership {
  const { status } = resource;
  return decideOwnership({
    tenantDomain: directory.tenantDomain,
    connection,
    derivedId: derivedIdOf(resource, connection),
    adoptedId,
    claim,
    isHeld: resource.finalizers.includes(FINALIZER),
    record: {
      userId: status.userId === undefined ? undefined : userId(status.userId),
      tenantDomain: status.tenantDomain === undefined ? undefined : tenantDomain(status.tenantDomain),
      connection: status.connection === undefined ? undefined : connectionName(status.connection),
      provenance: status.createdByOperator === true ? "created" : "adopted",
    },
  });
}
