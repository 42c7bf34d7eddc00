/**
 * One-shot actions by annotation. That a request was begun is written down before anything is done, so that a crash in
 * between repeats nothing: what became of it is then not known, and said to be so.
 */
import { createHash } from "node:crypto";
import { ACTIONS, parseActions, type Action, type ActionRequest } from "../api/actions.ts";
import { API_VERSION, KIND, type Auth0UserStatus } from "../api/auth0-user.ts";
import { ACTIONS_ANNOTATION } from "../api/names.ts";
import type { UserId } from "../core/ids.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import { setCondition } from "../kubernetes/conditions.ts";
import { resourcePath } from "../kubernetes/resource.ts";
import { formatTime } from "../kubernetes/timestamps.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { SECRETS } from "./secrets.ts";
import { referenceTo, writeStatus } from "./status-writer.ts";
import type { UserParts } from "./user-parts.ts";

type ActionResult = NonNullable<NonNullable<Auth0UserStatus["actions"]>["results"]>[number];

/** What the resource asks for, as a request is noted; `undefined`: nothing. */
export function requestedActionsOf({ annotations }: Auth0UserResource): string | undefined {
  const text = annotations[ACTIONS_ANNOTATION];
  return text === undefined ? undefined : parseActions(text).text;
}

/** Whether the resource asks for something that is not answered yet. */
export function hasOpenActions(resource: Auth0UserResource): boolean {
  const request = requestedActionsOf(resource);
  const { actions } = resource.status;
  return request !== undefined && (actions?.request !== request || actions.results === undefined);
}

/**
 * @param resource as the store has it now
 * @throws ApiError
 */
export async function answerActions(
  resource: Auth0UserResource,
  user: UserId,
  password: PasswordDeclaration,
  parts: UserParts,
  signal: AbortSignal,
): Promise<void> {
  const request = parseActions(resource.annotations[ACTIONS_ANNOTATION] ?? "");
  const { status } = resource;
  if (status.actions?.request === request.text) {
    const results = request.actions.map((action) => resultOf(action, "Unknown", INTERRUPTED, parts));
    await finish(resource, request, { results }, parts, signal);
    return;
  }
  const startedAt = formatTime(parts.clock.now());
  await writeStatus(resource, { ...status, actions: { request: request.text, startedAt } }, parts, signal);
  const begun = parts.store.get(resource.key);
  if (begun === undefined) return;
  const results = request.unknown.map((name) => resultOf(name, "Failed", UNKNOWN_ACTION, parts));
  let isPasswordSent = false;
  for (const action of request.actions) {
    try {
      const message = await perform(action, begun, user, password, parts, signal);
      results.push(resultOf(action, "Done", message, parts));
      if (action === "resend-password") isPasswordSent = true;
    } catch (error) {
      if (!(error instanceof DirectoryError || error instanceof ActionError || isApiError(error, "forbidden")))
        throw error;
      results.push(resultOf(action, "Failed", error.message, parts));
    }
  }
  await finish(begun, request, { results, sent: isPasswordSent ? password : undefined }, parts, signal);
}

const INTERRUPTED =
  "it is not known whether this was done: the operator was interrupted, or the resource restored from a backup; to have it done, change the annotation";
const UNKNOWN_ACTION = `there is no such action; there are ${Object.keys(ACTIONS).join(", ")}`;

/** What is asked for can't be done with this resource. */
class ActionError extends Error {
  override readonly name = "ActionError";
}

/** @returns what was done, for the status */
async function perform(
  action: Action,
  resource: Auth0UserResource,
  user: UserId,
  password: PasswordDeclaration,
  parts: UserParts,
  signal: AbortSignal,
): Promise<string> {
  const { directory } = parts;
  switch (action) {
    case "verification-email":
      await directory.actions.sendVerificationEmail(user, signal);
      return "Auth0 took the order to send the mail";
    case "password-change-ticket": {
      const ticket = await directory.actions.createPasswordTicket(user, signal);
      return `the link is in Secret ${await keepTicket(ticket, resource, parts, signal)}, key url`;
    }
    case "revoke-access":
      await directory.actions.revokeAccess(user, signal);
      return "Auth0 took the order to end all sessions and refresh tokens";
    case "unblock":
      await directory.actions.unblock(user, signal);
      return "blocks of brute-force protection are lifted";
    case "resend-password":
      if (password.kind !== "given") throw new ActionError("the resource has no password that could be sent");
      await directory.updateUser(user, { ...NOTHING, password: password.value }, signal);
      return "the password of the Secret was sent";
    default:
      return action satisfies never;
  }
}

const NOTHING = { attributes: {}, userMetadata: {}, appMetadata: {}, verifyEmail: undefined } as const;

/** Whoever has the link can set the password, so it goes into a Secret of the resource's own, one a request. */
async function keepTicket(
  ticket: string,
  { namespace, name, uid, annotations }: Auth0UserResource,
  { api }: UserParts,
  signal: AbortSignal,
): Promise<string> {
  const mark = createHash("sha256")
    .update(annotations[ACTIONS_ANNOTATION] ?? "")
    .digest("hex")
    .slice(0, 8);
  const secretName = `${name}-ticket-${mark}`;
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: secretName,
      namespace,
      labels: { "app.kubernetes.io/managed-by": "auth0-user-operator" },
      ownerReferences: [{ apiVersion: API_VERSION, kind: KIND, name, uid }],
    },
    stringData: { url: ticket },
  };
  try {
    await api.create(resourcePath(SECRETS, { namespace }), secret, signal);
  } catch (error) {
    if (!isApiError(error, "already_exists")) throw error;
    throw new ActionError(`Secret ${secretName} exists already: ask again with another value of the annotation`);
  }
  return secretName;
}

function resultOf(action: string, result: ActionResult["result"], message: string, { clock }: UserParts): ActionResult {
  return { action, result, time: formatTime(clock.now()), message };
}

async function finish(
  resource: Auth0UserResource,
  request: ActionRequest,
  { results, sent }: { readonly results: readonly ActionResult[]; readonly sent?: PasswordDeclaration | undefined },
  parts: UserParts,
  signal: AbortSignal,
): Promise<void> {
  const { status, generation, key } = resource;
  for (const { action, result, message } of results) {
    const isDone = result === "Done";
    const [type, reason] = isDone ? (["Normal", "ActionDone"] as const) : (["Warning", "ActionFailed"] as const);
    parts.recorder.event({
      regarding: referenceTo(resource),
      type,
      reason,
      action: "Act",
      note: `${action}: ${message}`,
    });
    parts.log.info("action answered", { key, action, result });
  }
  const startedAt = status.actions?.startedAt ?? formatTime(parts.clock.now());
  const actions = { request: request.text, startedAt, results };
  const next = sent?.kind === "given" ? withPasswordSent(status, sent.version, generation, parts) : status;
  await writeStatus(resource, { ...next, actions }, parts, signal);
}

function withPasswordSent(
  status: Auth0UserStatus,
  passwordVersion: string | undefined,
  observedGeneration: number,
  { clock }: UserParts,
): Auth0UserStatus {
  const condition = {
    type: "PasswordSynced",
    status: "True",
    reason: "PasswordSet",
    message: "the Secret's password was sent to Auth0",
    observedGeneration,
  } as const;
  const conditions = setCondition(status.conditions ?? [], condition, clock.now());
  return { ...status, conditions, ...(passwordVersion !== undefined && { passwordVersion }) };
}
