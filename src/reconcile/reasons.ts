/**
 * The closed set of reasons that conditions and Events carry, with what each means and what a person does about it.
 * `docs/troubleshooting.md` is generated from this table.
 */
import type { DirectoryErrorCode } from "./errors.ts";

export const REASONS = {
  Created: ["The user was created at Auth0.", ""],
  Adopted: ["An existing user was taken over, by `spec.userId` or `adoptionPolicy`.", ""],
  Recreated: ["The user was gone from Auth0 and was created again.", ""],
  Updated: ["The user was changed to what the spec asks.", ""],
  DriftCorrected: ["Somebody had changed managed attributes at Auth0; they were set back.", ""],
  InSync: ["The user is as declared.", ""],
  DriftDetected: [
    "Managed attributes differ at Auth0 and are left alone: because of `driftPolicy: Detect`, or because it is a block, or a confirmed address or number, that somebody set for a reason.",
    "Change the spec to what you want: an edit of it brings everything about. To have flags set back like any attribute, name them in `fieldPolicies` with `Enforce`.",
  ],
  Suspended: ["`spec.suspend` is true: nothing is read from or written to Auth0.", "Set `suspend: false` to go on."],
  ValidationFailed: ["The spec is not valid; nothing was sent.", "Mend the fields that the message names."],
  SecretNotFound: ["The Secret with the password does not exist.", "Create it, in the namespace of the resource."],
  SecretKeyMissing: [
    "The Secret has no such key, or the key is empty.",
    "Add the key, or name another in `password.secretRef.key`.",
  ],
  SecretNotPermitted: [
    "The Secret does not consent to be read: it lacks the label `auth0-user-operator.dev/use=password`.",
    "`kubectl label secret NAME auth0-user-operator.dev/use=password`",
  ],
  PasswordSet: ["The password of the Secret is the one that was sent to Auth0.", ""],
  PasswordNotVerified: [
    "It is not known whether Auth0 has the Secret's password (the state key that could tell is gone, or the resource was restored from a backup); it was not sent again.",
    "Change the password in the Secret to have it sent.",
  ],
  PasswordLeft: ["`password.policy` is `OnCreate`: the password is left to the person once the user exists.", ""],
  PasswordGenerated: ["A password was made and put into the Secret that `password.generate` names.", ""],
  SecretNotOwned: [
    "The Secret that `password.generate` names exists and was not made for this resource; it is not overwritten.",
    "Name another Secret, or refer to this one by `password.secretRef`.",
  ],
  PasswordRejected: [
    "The connection's password policy refuses the password; where the policy is known it was not even sent.",
    "Put a stronger password into the Secret.",
  ],
  UserConflict: [
    "Another user holds the id, address or username, or the claim on a user can't be proven.",
    "Take that user over with `spec.userId` or `adoptionPolicy` (`Review` shows first what would change), choose another address, or restore the operator's state Secret. An account that was linked into another user's is not found by its address: unlink it there.",
  ],
  AwaitingApproval: [
    "`adoptionPolicy: Review`: an existing user would be taken over; `status.plannedChanges` says what would be written to it. Nothing is, and nothing is claimed.",
    "To approve, set the annotation `auth0-user-operator.dev/approve-plan` to the plan's hash. A plan that changes, because the user or the spec does, has another hash. To leave the user alone, delete the resource.",
  ],
  DuplicateClaim: [
    "Another resource holds the user, be it of another operator, whose marker the user bears; the older claim stands.",
    "Delete one of the two. A resource that may take the user over does so once the other is deleted: the user is not.",
  ],
  ClaimMoved: [
    "The resource is gone; its user stays, and belongs to another resource that waited for it or whose marker it bears.",
    "",
  ],
  UserNotFound: [
    "The user that `spec.userId` names, or that was adopted, does not exist at Auth0.",
    "Name an existing user, or delete the resource.",
  ],
  RecreationScheduled: [
    "Somebody deleted the user at Auth0; it is created again when `recreateAfter` is over.",
    "To have it now set `recreateAfter: 0s`; not to have it again set `recreatePolicy: Report`, or delete the resource.",
  ],
  UserLinked: [
    "The user was linked into another account; it is neither created again nor deleted.",
    "Unlink it at Auth0, or delete the resource.",
  ],
  TenantChanged: [
    "The user lives in another tenant than the one the operator is connected to; nothing is read, created or deleted.",
    "Connect the operator to that tenant again; to let go of the resource set `deletionPolicy: Retain` and delete it.",
  ],
  ConnectionNotFound: ["The tenant has no such connection.", "Create the connection, or mend `spec.connection`."],
  ConnectionUnsupported: [
    "Users of this connection can't be created through the API (a social or enterprise connection, or a disabled one), or not like this.",
    "Enable the connection for an application, follow what the message says, or adopt an existing user by `spec.userId`.",
  ],
  CustomDomainConflict: [
    "The tenant has several verified custom domains and does not know which one its mails should name.",
    "Set a default custom domain in the tenant, or name one in `AUTH0_CUSTOM_DOMAIN_HEADER` (in a tenant object: `customDomain`).",
  ],
  AttributeNotWritable: [
    "Auth0 refuses to set or remove some attributes; the others are as declared.",
    "Take the attributes named out of the spec, or switch off the connection's sync of user profile attributes.",
  ],
  AssignmentNotFound: [
    "A role, a permission or an organization that the spec names does not exist; everything else is brought about.",
    "Create it in the tenant, or mend its name.",
  ],
  AssignmentAmbiguous: [
    "Several roles have the name that the spec gives; everything else is brought about.",
    "Name the role by its id, `rol_…`.",
  ],
  RequestRejected: ["Auth0 refused the request for another reason.", "Mend what the message says."],
  TenantNotReady: [
    "The tenant that the user belongs to can't be used; the message says why. Nothing is read from or written to Auth0.",
    "Look at the tenant object: `kubectl describe auth0tenant` or `clusterauth0tenant`. All of its users go on once it is Ready.",
  ],
  NotGranted: [
    "The tenant does not grant the resource's namespace what the spec asks for; nothing was sent.",
    "Take what the message names out of the spec, or have whoever looks after the tenant grant it.",
  ],
  DomainNotAllowed: [
    "The installer of the operator does not allow tenant objects to name this domain: no credential is read and no call is made.",
    "Have it added to `--allowed-tenant-domains`.",
  ],
  Connected: ["The tenant takes the operator's credentials.", ""],
  CredentialsInvalid: [
    "The tenant refuses the operator's credentials.",
    "Check the domain, client id and secret (or the token), and that the client is authorized for the Management API.",
  ],
  InsufficientScope: ["The operator's client lacks a scope.", "Grant the scope that the message names to the client."],
  RateLimited: ["The tenant's rate limit is used up; the operator waits as told.", ""],
  Auth0Unavailable: [
    "Auth0 can't be reached or does not answer properly; the operator tries again.",
    "Check the domain and the network.",
  ],
  DeletionNeedsConfirmation: [
    "The user has more than one identity: deleting it would delete the linked accounts too.",
    "Unlink the other identities at Auth0 (seen within five minutes), set `deletionPolicy: Retain`, or confirm as the message says.",
  ],
  DeletionPaused: [
    "More users would be deleted within an hour than the tenant's `protection` allows; deletions of this tenant wait for a person.",
    "If they are meant, confirm with the command in the message; else set `deletionPolicy: Retain`, or restore the resources under other names with `userId`.",
  ],
  ChangesPaused: [
    "More users would have the same attribute changed within an hour than the tenant's `protection` allows; such changes wait for a person.",
    "If they are meant, confirm with the command in the message; else take the change back.",
  ],
  DeletionScheduled: [
    "The user is blocked, and is deleted when `deleteAfter` is over.",
    "To keep the user, set `deletionPolicy: Retain` before that.",
  ],
  Disabled: ["The resource is gone; the user stays at Auth0, blocked.", ""],
  LeftBehind: [
    "The resource went with its namespace; its user could not be deleted in time and stays at Auth0.",
    "Delete the user at Auth0, or take it over by a new resource.",
  ],
  Deleting: ["The user is being deleted at Auth0.", ""],
  Deleted: ["Auth0 accepted the deletion.", ""],
  AlreadyAbsent: ["The user was already absent from Auth0 when the resource was deleted.", ""],
  Retained: ["The resource is gone, the user stays at Auth0.", ""],
  ActionDone: ["What the annotation `auth0-user-operator.dev/actions` asks for was done, once.", ""],
  ActionFailed: [
    "What the annotation `auth0-user-operator.dev/actions` asks for was not done, or it is not known whether it was.",
    "Mend what the message says, and ask again with another value: `unblock@2`.",
  ],
  AttributeReleased: [
    "A managed attribute left the spec, or is left to people from now on: its value stays at Auth0 and is no longer looked after.",
    "To remove the value, name the attribute in `spec.removeAttributes`, or set `unsetPolicy: Remove` before it leaves.",
  ],
  NullRecovered: [
    "A null that `kubectl apply` drops was found in its last-applied annotation and is obeyed.",
    "Name the attribute in `spec.removeAttributes`, which survives every client.",
  ],
} as const satisfies Record<string, readonly [meaning: string, advice: string]>;

export type Reason = keyof typeof REASONS;

/** The reason of a failure. */
export const REASON_OF = {
  rate_limited: "RateLimited",
  unavailable: "Auth0Unavailable",
  credentials_invalid: "CredentialsInvalid",
  tenant_not_ready: "TenantNotReady",
  deletions_paused: "DeletionPaused",
  claim_moved: "ClaimMoved",
  changes_paused: "ChangesPaused",
  insufficient_scope: "InsufficientScope",
  user_not_found: "UserNotFound",
  related_not_found: "AssignmentNotFound",
  already_exists: "UserConflict",
  custom_domain_conflict: "CustomDomainConflict",
  connection_not_found: "ConnectionNotFound",
  connection_unsupported: "ConnectionUnsupported",
  attribute_not_writable: "AttributeNotWritable",
  password_rejected: "PasswordRejected",
  rejected: "RequestRejected",
} as const satisfies Record<DirectoryErrorCode, Reason>;
