/** What the operator calls its own things in a cluster. */
import { GROUP } from "../api/auth0-user.ts";

/** Holds a resource until its user at Auth0 has been dealt with. */
export const FINALIZER = `${GROUP}/user`;
/** Holds a tenant object while users name it. */
export const TENANT_FINALIZER = `${GROUP}/tenant`;
/** The claim on a user (`reconcile/claim.ts`). */
export const USER_ID_ANNOTATION = `${GROUP}/user-id`;
/** Beside the claim: the uid of the resource that made it. One that was restored from a backup has another uid. */
export const CLAIMED_BY_ANNOTATION = `${GROUP}/claimed-by`;
/** Beside the claim: the version of the password that the creation carried. */
export const PASSWORD_VERSION_ANNOTATION = `${GROUP}/password-version`;
/** All annotations that mean something to the operator begin so. */
export const ANNOTATION_PREFIX = `${GROUP}/`;
/** The operator's own Secret, in its own namespace: the keys that sign claims and password versions. */
export const STATE_SECRET = "auth0-user-operator-state";
/** Beside the operator: what a tenant object would keep in its status, for the tenant that the process was given. */
export const DEFAULT_TENANT_CONFIG_MAP = "auth0-user-operator-default-tenant";
/** On a resource whose user others wait for: who they are (`awaited-by.ts`). */
export const AWAITED_BY_ANNOTATION = `${GROUP}/awaited-by`;
