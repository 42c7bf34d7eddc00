/**
 * One-shot actions by annotation. That a request was begun is written down before anything is done, so that a crash in
 * between repeats nothing: what became of it is then not known, and said to be so. What a limit kept from being sent is not
 * done, and is done later.
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
import type { EpochMs } from "../runtime/clock.ts";
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
export function hasOpenActions({ annotations, status: { actions } }: Auth0UserResource): boolean {
  const text = annotations[ACTIONS_ANNOTATION];
  if (text === undefined) return false;
  const request = parseActions(text);
  if (actions?.request !== request.text || actions.results === undefined) return true;
  return openOf(request, actions.results).length > 0;
}

/**
 * @param resource as the store has it now
 * @returns when to go on, where the tenant's limits let no more be done now
 * @throws ApiError
 */
export async function answerActions(
  resource: Auth0UserResource,
  user: UserId,
  password: PasswordDeclaration,
  parts: UserParts,
  signal: AbortSignal,
): Promise<EpochMs | undefined> {
  const request = parseActions(resource.annotations[ACTIONS_ANNOTATION] ?? "");
  const standing = standingOf(request, resource.status.actions, parts);
  if (standing.kind === "waiting") return standing.untilMs;
  const { begun } = standing;
  const { results: noted = [] } = begun;
  const open = openOf(request, noted);
  const results: ActionResult[] = [];
  let resumeAtMs: EpochMs | undefined;
  let status = resource.status;
  if (standing.kind === "interrupted") {
    results.push(...open.map((action) => resultOf(action, "Unknown", INTERRUPTED, parts)));
  } else if (open.length > 0) {
    status = { ...status, actions: begun };
    if (!(await writeStatus(resource, status, parts, signal))) return undefined;
    for (const action of open) {
      const done = await attempt(action, resource, user, password, parts, signal);
      if (done.kind === "put off") {
        resumeAtMs = done.untilMs;
        break;
      }
      results.push(done.result);
    }
  }
  tell(resource, [...(standing.kind === "new" ? noted : []), ...results], parts);
  const actions: ActionsStatus = {
    ...begun,
    results: [...noted, ...results],
    ...(resumeAtMs !== undefined && { resumeTime: formatTime(resumeAtMs) }),
  };
  const isPasswordSent = results.some(({ action, result }) => action === "resend-password" && result === "Done");
  const next =
    isPasswordSent && password.kind === "given"
      ? withPasswordSent(status, password.version, resource.generation, parts)
      : status;
  await writeStatus({ ...resource, status }, { ...next, actions }, parts, signal);
  return resumeAtMs;
}

type ActionsStatus = NonNullable<Auth0UserStatus["actions"]>;

type Standing =
  | { readonly kind: "waiting"; readonly untilMs: EpochMs }
  | { readonly kind: "new" | "resumed" | "interrupted"; readonly begun: ActionsStatus };

/** So many former requests are remembered: who takes a commit back means to repeat nothing. */
const MAX_EARLIER_REQUESTS = 20;

const INTERRUPTED =
  "it is not known whether this was done: the operator was interrupted, or the resource restored from a backup; to have it done, change the annotation";
const ASKED_BEFORE = "this very request was made before: to have it done once more, change what follows the @";
const UNKNOWN_ACTION = `there is no such action; there are ${Object.keys(ACTIONS).join(", ")}`;

function standingOf(request: ActionRequest, noted: ActionsStatus | undefined, parts: UserParts): Standing {
  const nowMs = parts.clock.now();
  if (noted?.request === request.text) {
    const { resumeTime, ...begun } = noted;
    const resumeAtMs = Date.parse(resumeTime ?? "");
    if (Number.isNaN(resumeAtMs)) return { kind: "interrupted", begun };
    return resumeAtMs > nowMs ? { kind: "waiting", untilMs: resumeAtMs } : { kind: "resumed", begun };
  }
  const earlier = noted === undefined ? [] : [...(noted.earlierRequests ?? []), noted.request];
  const isRepeated = earlier.includes(request.text);
  const results = [
    ...(isRepeated ? request.actions : []).map((name) => resultOf(name, "Failed", ASKED_BEFORE, parts)),
    ...request.unknown.map((name) => resultOf(name, "Failed", UNKNOWN_ACTION, parts)),
  ];
  const earlierRequests = earlier.filter((text) => text !== request.text).slice(-MAX_EARLIER_REQUESTS);
  const begun = {
    request: request.text,
    startedAt: formatTime(nowMs),
    ...(results.length > 0 && { results }),
    ...(earlierRequests.length > 0 && { earlierRequests }),
  };
  return { kind: "new", begun };
}

/** What has no result yet. */
function openOf({ actions }: ActionRequest, results: readonly ActionResult[]): readonly Action[] {
  return actions.filter((name) => !results.some(({ action }) => action === name));
}

/** Until the way to the tenant may be mended. */
const LOOK_AGAIN_MS = 60_000;

type Attempt =
  | { readonly kind: "answered"; readonly result: ActionResult }
  | { readonly kind: "put off"; readonly untilMs: EpochMs };

async function attempt(
  action: Action,
  resource: Auth0UserResource,
  user: UserId,
  password: PasswordDeclaration,
  parts: UserParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const answered = (result: ActionResult["result"], message: string): Attempt => ({
    kind: "answered",
    result: resultOf(action, result, message, parts),
  });
  try {
    return answered("Done", await perform(action, resource, user, password, parts, signal));
  } catch (error) {
    if (error instanceof ActionError || isApiError(error, "forbidden")) return answered("Failed", error.message);
    if (!(error instanceof DirectoryError)) throw error;
    if (error.remedy.kind === "wait") return { kind: "put off", untilMs: error.remedy.untilMs };
    const isUnsent = error.isUnsent || error.code === "credentials_invalid" || error.code === "tenant_not_ready";
    if (isUnsent) return { kind: "put off", untilMs: parts.clock.now() + LOOK_AGAIN_MS };
    return answered(error.code === "unavailable" ? "Unknown" : "Failed", error.message);
  }
}

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

function tell(resource: Auth0UserResource, results: readonly ActionResult[], { recorder, log }: UserParts): void {
  for (const { action, result, message } of results) {
    const isDone = result === "Done";
    const [type, reason] = isDone ? (["Normal", "ActionDone"] as const) : (["Warning", "ActionFailed"] as const);
    const note = `${action}: ${message}`;
    recorder.event({ regarding: referenceTo(resource), type, reason, action: "Act", note });
    log.info("action answered", { key: resource.key, action, result });
  }
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
