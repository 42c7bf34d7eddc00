/** A user's second factors: `/users/{id}/authentication-methods`. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, parseListBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { defined, textIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import type { State } from "../state/state.ts";
import { InvalidInput } from "../parser.ts";
import { isJsonObject } from "../../runtime/json.ts";
import type { Tenant } from "../tenant.ts";
import { userOf } from "./user-of.ts";
import type { Users } from "./users.ts";

/** By user, with addresses and numbers in full; secrets are not kept. */
export class AuthenticationMethods {
  readonly #byUser: Collection<readonly JsonObject[]>;

  constructor(state: State, users: Users) {
    this.#byUser = state.collection("authenticationMethods", parseMethods);
    users.subscribe((before, after) => {
      if (before && !after) this.#byUser.delete(before.userId);
    });
  }

  of(userId: string): readonly JsonObject[] {
    return this.#byUser.find(userId) ?? [];
  }

  set(userId: string, methods: readonly JsonObject[]): void {
    if (methods.length === 0) this.#byUser.delete(userId);
    else this.#byUser.put(userId, methods);
  }
}

function parseMethods(item: unknown): readonly JsonObject[] {
  if (Array.isArray(item) && item.every(isJsonObject)) return item;
  throw new InvalidInput("must be a list of objects");
}

const PATH = "/users/{id}/authentication-methods";

export const AUTHENTICATION_METHOD_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:authentication_methods"], listMethods),
  api("POST", PATH, ["create:authentication_methods"], addMethod),
  api("PUT", PATH, ["update:authentication_methods"], replaceMethods),
  api("DELETE", PATH, ["delete:authentication_methods"], removeMethods),
  api("GET", `${PATH}/{method_id}`, ["read:authentication_methods"], getMethod),
  api("PATCH", `${PATH}/{method_id}`, ["update:authentication_methods"], updateMethod),
  api("DELETE", `${PATH}/{method_id}`, ["delete:authentication_methods"], removeMethod),
];

/** Where it is read, an address or number is masked and the method says that it is confirmed (recorded). */
function readMethod(method: JsonObject): JsonObject {
  return { ...masked(method), confirmed: true };
}

function masked(method: JsonObject): JsonObject {
  const [email, phone] = [textIn(method, "email"), textIn(method, "phone_number")];
  return {
    ...method,
    ...(email !== undefined && { email: maskedEmail(email) }),
    ...(phone !== undefined && { phone_number: phone.slice(-4).padStart(phone.length, "X") }),
  };
}

/** Four characters of either part are left, and none of a local part that has no more (recorded). */
function maskedEmail(email: string): string {
  const [local = "", domain = ""] = email.split("@");
  const shown = local.length > 4 ? local.slice(0, 4).padEnd(local.length, "*") : "****";
  return `${shown}@${domain.slice(0, 4).padEnd(domain.length, "*")}`;
}

/** Without any there is no total either (recorded). */
function listMethods(call: ApiCall): Answer {
  const { tenant, query } = call;
  const methods = tenant.authenticationMethods.of(userOf(call).userId);
  const answer = listAnswer(query, "authenticators", methods, readMethod);
  if (methods.length > 0 || !isJsonObject(answer.body)) return answer;
  const { total: _total, ...body } = answer.body;
  return { ...answer, body };
}

const METHOD: Schema = {
  required: ["type"],
  properties: {
    type: {
      type: "string",
      enum: ["phone", "email", "totp", "webauthn-roaming", "webauthn-platform", "passkey"],
      description: "The type of the authentication method.",
    },
    name: {
      type: "string",
      minLength: 1,
      description: "A human-readable label to identify the authentication method.",
    },
    email: { type: "string", format: "email", description: "Applies to email authentication methods only." },
    phone_number: {
      type: "string",
      pattern: /^\+[0-9]{1,15}$/,
      description: "Applies to phone authentication methods only.",
    },
    preferred_authentication_method: {
      type: "string",
      enum: ["sms", "voice"],
      description: "Preferred phone authentication method.",
    },
  },
};

/** A phone is a method for each way in which it can be reached, with one id (recorded). */
function newMethod(tenant: Tenant, body: JsonObject): JsonObject {
  checkBody(body, METHOD);
  const { type, name, email, phone_number: phone, preferred_authentication_method: preferred } = body;
  const device = newId("dev", tenant.random);
  const created_at = new Date(tenant.now()).toISOString();
  const ways = phone === undefined ? undefined : [{ id: `${String(preferred)}|${device}`, type: preferred }];
  return defined({
    id: `${String(type)}|${device}`,
    type,
    name,
    email,
    phone_number: phone,
    created_at,
    preferred_authentication_method: preferred,
    authentication_methods: ways,
  });
}

function addMethod(call: ApiCall): Answer {
  const { tenant, request } = call;
  const { userId } = userOf(call);
  const method = newMethod(tenant, parseBody(request));
  tenant.authenticationMethods.set(userId, [...tenant.authenticationMethods.of(userId), method]);
  return { status: 201, body: masked(method) };
}

/** The answer masks nothing (recorded). */
function replaceMethods(call: ApiCall): Answer {
  const { tenant, request } = call;
  const { userId } = userOf(call);
  const methods = parseListBody(request).map((body) => newMethod(tenant, body));
  tenant.authenticationMethods.set(userId, methods);
  return { status: 200, body: methods };
}

export function removeMethods(call: ApiCall): Answer {
  call.tenant.authenticationMethods.set(userOf(call).userId, []);
  return { status: 204 };
}

function getMethod(call: ApiCall): Answer {
  return { status: 200, body: readMethod(methodOf(call)) };
}

function methodOf(call: ApiCall): JsonObject {
  const methods = call.tenant.authenticationMethods.of(userOf(call).userId);
  const found = methods.find(({ id }) => id === call.params["method_id"]);
  if (!found) throw refusal(404, "The authentication method does not exist.", "inexistent_authentication_method");
  return found;
}

function updateMethod(call: ApiCall): Answer {
  const { tenant, request } = call;
  const method = methodOf(call);
  const body = parseBody(request);
  checkBody(body, { properties: METHOD.properties });
  const { name = method["name"], preferred_authentication_method: preferred } = body;
  const changed = { ...method, ...defined({ name, preferred_authentication_method: preferred }) };
  const { userId } = userOf(call);
  const methods = tenant.authenticationMethods.of(userId);
  tenant.authenticationMethods.set(
    userId,
    methods.map((each) => (each === method ? changed : each)),
  );
  return { status: 200, body: masked(changed) };
}

/** 204 also for one that is not there (modelled). */
function removeMethod(call: ApiCall): Answer {
  removeWhere(call, ({ id }) => id === call.params["method_id"]);
  return { status: 204 };
}

export function removeWhere(call: ApiCall, isRemoved: (method: JsonObject) => boolean): void {
  const { userId } = userOf(call);
  const { authenticationMethods } = call.tenant;
  authenticationMethods.set(
    userId,
    authenticationMethods.of(userId).filter((method) => !isRemoved(method)),
  );
}
