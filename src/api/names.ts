/** Names that people write on their objects besides the spec. */
import { GROUP } from "./auth0-user.ts";

/** The label by which a Secret consents to be read, and its values. */
export const SECRET_USE_LABEL = `${GROUP}/use`;
export const SECRET_USE_PASSWORD = "password";
export const SECRET_USE_CREDENTIALS = "credentials";
/** The key of a password in its Secret where none is named. */
export const DEFAULT_PASSWORD_KEY = "password";

/** Any new value asks for a pass at once, as `kubectl annotate --overwrite` writes it. */
export const RECONCILE_ANNOTATION = `${GROUP}/reconcile-requested-at`;
/** What a person asks for once (`api/actions.ts`). */
export const ACTIONS_ANNOTATION = `${GROUP}/actions`;
/** The hash of the takeover that a person approves. */
export const APPROVE_PLAN_ANNOTATION = `${GROUP}/approve-plan`;
/** The id of the user whose deletion, linked identities included, a person confirms. */
export const CONFIRM_DELETION_ANNOTATION = `${GROUP}/confirm-deletions`;
