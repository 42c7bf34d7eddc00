/** What the rooms around one Auth0User are handed. */
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import type { EventRecorder } from "../kubernetes/events.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { Store } from "../kubernetes/store.ts";
import type { UserDirectory } from "../reconcile/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import { GROUP, PLURAL, VERSION } from "../api/auth0-user.ts";
import type { AwaitedBy } from "./awaited-by.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import type { DriftCounts } from "./drift-counts.ts";
import type { KindDeletion } from "./kind-deletion.ts";
import type { LeftBehind } from "./left-behind.ts";
import type { Namespaces } from "./namespaces.ts";
import type { ReadyReasons } from "./ready-reasons.ts";
import type { Secrets } from "./secrets.ts";
import type { StateKeys } from "./state-keys.ts";
import type { Tenant } from "./tenant.ts";
import type { UserHolders } from "./user-holders.ts";
import type { UserMemories } from "./user-memories.ts";

export const AUTH0_USERS: Resource = { group: GROUP, version: VERSION, plural: PLURAL };

/** What is the same for all users. */
export interface SharedParts {
  readonly api: KubernetesCalls;
  readonly secrets: Secrets;
  readonly store: Store<Auth0UserResource>;
  readonly stateKeys: Pick<StateKeys, "keyring">;
  readonly recorder: EventRecorder;
  readonly memories: UserMemories;
  readonly drift: DriftCounts;
  readonly reasons: ReadyReasons;
  readonly namespaces: Namespaces;
  readonly kindDeletion: KindDeletion;
  readonly audit: AuditLog | undefined;
  readonly leftBehind: LeftBehind;
  readonly holders: UserHolders;
  readonly awaitedBy: AwaitedBy;
  /** Wants another resource looked at. */
  readonly wake: (user: ObjectKey) => void;
  /** How long a namespace that is being deleted waits for a user that can't be. */
  readonly releaseAfterMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface UserParts extends SharedParts {
  readonly tenant: Tenant;
  /** The tenant's. */
  readonly directory: UserDirectory;
  /** Told when the tenant refuses the credentials. */
  readonly doubtCredentials: () => void;
}

export function auth0UserPath({ namespace, name }: Auth0UserResource, subresource?: "status"): string {
  return resourcePath(AUTH0_USERS, { namespace, name, ...(subresource !== undefined && { subresource }) });
}
