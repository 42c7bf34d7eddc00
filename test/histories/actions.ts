/** Actions of a history, as people ask for them by annotation, and what came of them at Auth0. */
import { ACTIONS, type Action } from "../../src/api/actions.ts";
import { ACTIONS_ANNOTATION } from "../../src/api/names.ts";
import { USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import { annotationsOf, asObject, metadataOf, type Write } from "./cluster.ts";
import type { UserKey } from "./reading.ts";

const NAMES = Object.keys(ACTIONS) as Action[];

/** @param edit tells this request from every other */
export function drawRequest(chance: Chance, edit: number): string {
  const asked = NAMES.filter(() => chance.happens(0.4));
  return `${asked.join(",")}@${String(edit)}`;
}

export function isAskedIn(request: string, action: string): boolean {
  return (request.split("@")[0] ?? "").split(",").includes(action);
}

interface Asked {
  readonly request: string;
  /** When it was replaced by another one. */
  endedAt: number;
}

/** Who asked for what, and what was done how often. */
export class ActionBooks {
  readonly #asked = new Map<string, Asked[]>();
  /** By `namespace/name`: a resource that is restored has asked before, unless its backup is older than its claim. */
  readonly #everAsked = new Map<string, string[]>();
  readonly #done = new Map<string, number>();

  note(key: string, { before, after }: Write, step: number): void {
    if (after === undefined) return;
    const uid = String(metadataOf(after)["uid"]);
    const request = annotationsOf(after)[ACTIONS_ANNOTATION];
    const asked = this.#asked.get(uid) ?? [];
    const last = asked.at(-1);
    if (request === undefined || last?.request === request) return;
    if (last !== undefined) last.endedAt = step;
    this.#asked.set(uid, [...asked, { request, endedAt: Infinity }]);
    const ever = this.#everAsked.get(key) ?? [];
    const isNew = before === undefined && annotationsOf(after)[USER_ID_ANNOTATION] === undefined;
    if (isNew || !ever.includes(request)) this.#everAsked.set(key, [...ever, request]);
  }

  /** @param since when the operator may still believe what was asked then */
  isAsked(uid: string, action: Action, since: number): boolean {
    const recent = (this.#asked.get(uid) ?? []).filter(({ endedAt }) => endedAt >= since);
    return recent.some(({ request }) => isAskedIn(request, action));
  }

  /** The action was done to the user for the resource of this name. @returns whether that is no more often than it was asked for */
  noteDone(key: string, user: UserKey, action: Action): boolean {
    const mark = `${key} ${user} ${action}`;
    const times = (this.#done.get(mark) ?? 0) + 1;
    this.#done.set(mark, times);
    return times <= (this.#everAsked.get(key) ?? []).filter((request) => isAskedIn(request, action)).length;
  }

  /** Whether it was ever done for the resource of this name. */
  wasDone(key: string, action: string): boolean {
    return [...this.#done.keys()].some((mark) => mark.startsWith(`${key} `) && mark.endsWith(` ${action}`));
  }
}

/** What is wrong with the answer to what a resource asks for, once everything has come to rest. */
export function findWrongAnswer(key: string, object: JsonObject, books: ActionBooks): string | undefined {
  const request = annotationsOf(object)[ACTIONS_ANNOTATION];
  if (request === undefined) return undefined;
  const { actions } = asObject(object["status"]);
  const { request: answered, results } = asObject(actions);
  if (answered !== request || !Array.isArray(results)) return `${request} is not answered: ${JSON.stringify(actions)}`;
  for (const action of NAMES.filter((name) => isAskedIn(request, name))) {
    const result = results.map(asObject).find((one) => one["action"] === action);
    if (result === undefined) return `${action} is not answered: ${JSON.stringify(actions)}`;
    const isLie = result["result"] === "Done" && action !== "resend-password" && !books.wasDone(key, action);
    if (isLie) return `${action} is said to be done, and was not`;
  }
  return undefined;
}

const ROUTES: readonly (readonly [action: Action, method: string, path: RegExp])[] = [
  ["verification-email", "POST", /^\/api\/v2\/jobs\/verification-email$/],
  ["password-change-ticket", "POST", /^\/api\/v2\/tickets\/password-change$/],
  ["revoke-access", "POST", /^\/api\/v2\/users\/([^/]+)\/revoke-access$/],
  ["unblock", "DELETE", /^\/api\/v2\/user-blocks\/([^/]+)$/],
];

/** The action that a call is, and the user that it is done to. */
export function actionOf(
  method: string,
  path: string,
  sent: JsonObject,
): { readonly action: Action; readonly userId: string } | undefined {
  for (const [action, verb, pattern] of ROUTES) {
    const match = verb === method ? pattern.exec(path) : null;
    if (match === null) continue;
    const [, id] = match;
    return { action, userId: id === undefined ? String(sent["user_id"]) : decodeURIComponent(id) };
  }
  return undefined;
}
