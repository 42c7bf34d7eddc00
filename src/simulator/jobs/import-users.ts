/** `POST /api/v2/jobs/users-imports`: many users at once, from a file. */
import type { JsonObject } from "../../runtime/json.ts";
import { isJsonObject } from "../../runtime/json.ts";
import type { ApiCall } from "../call.ts";
import { kindOf, type Connection } from "../connections/connection.ts";
import { mediaType } from "../http.ts";
import { parseJson, textIn } from "../json.ts";
import {
  badRequest,
  inexistentConnection,
  payloadTooLarge,
  Refusal,
  refusal,
  unsupportedMediaType,
} from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import { withChanges } from "../users/attributes.ts";
import { addUser, newUser } from "../users/new-user.ts";
import { changedAtMs, type User } from "../users/user.ts";
import { recordProblems, type RecordProblem } from "./import-record.ts";
import type { NewJob } from "./jobs.ts";
import { parseMultipart } from "./multipart.ts";

/** Bytes of the whole request (documented). */
const MAX_BYTES = 512_000;

/** Imports at a time (reported, with the text). */
const MAX_ACTIVE = 2;

export function importUsers({ tenant, request }: ApiCall): NewJob {
  if (request.body.length > MAX_BYTES) throw payloadTooLarge(MAX_BYTES);
  if (mediaType(request) !== "multipart/form-data") throw unsupportedMediaType();
  const parts = parseMultipart(request);
  const connection = connectionOf(tenant, parts.get("connection_id"));
  const records = parseRecords(parts.get("users"));
  if (tenant.jobs.activeImports(tenant.now()) >= MAX_ACTIVE) {
    const text = `There are ${String(MAX_ACTIVE)} active import users jobs, please wait until some of them are finished and try again`;
    throw refusal(429, text, "too_many_requests");
  }
  const externalId = parts.get("external_id") ?? "";
  const asked = {
    connection_id: connection.id,
    connection: connection.name,
    ...(externalId !== "" && { external_id: externalId }),
  };
  return { type: "users_import", asked, ...outcomeOf(tenant, connection, records, parts.get("upsert") === "true") };
}

/** Texts of the OpenAPI document. */
function connectionOf({ connections }: Tenant, id: string | undefined): Connection {
  if (id === undefined) throw badRequest("Must provide 'connection_id' as multipart part.");
  if (!/^con_[A-Za-z0-9]{16}$/.test(id)) {
    const text =
      "Payload validation error: 'String does not match pattern ^con_[A-Za-z0-9]{16}$' on property connection_id.";
    throw badRequest(text, "invalid_body");
  }
  const connection = connections.findById(id);
  if (!connection) throw inexistentConnection(400);
  if (connection.strategy !== "auth0") throw badRequest("Connection must be a database connection.");
  if (connection.enabledClients.length === 0) throw badRequest("Connection must be enabled.");
  if (kindOf(connection) !== "database") {
    throw badRequest("Custom Database Connections without import mode are not allowed.");
  }
  return connection;
}

function parseRecords(file: string | undefined): readonly unknown[] {
  if (file === undefined) throw badRequest("Must provide 'users' file as multipart part.");
  if (file.trim() === "") throw badRequest("Users file must not be empty.");
  try {
    const records = parseJson(file);
    if (Array.isArray(records)) return records;
  } catch {
    // Refused like a file that holds something else.
  }
  throw badRequest("Failed to parse users file JSON when importing users. Make sure it is valid JSON.");
}

function outcomeOf(
  tenant: Tenant,
  connection: Connection,
  records: readonly unknown[],
  upsert: boolean,
): Pick<NewJob, "result"> & { readonly errors: readonly JsonObject[] } {
  const counts = { failed: 0, updated: 0, inserted: 0, total: records.length };
  const errors: JsonObject[] = [];
  for (const record of records) {
    const imported = importRecord(tenant, connection, record, upsert);
    if (typeof imported === "string") counts[imported]++;
    else {
      counts.failed++;
      errors.push({ user: record, errors: imported });
    }
  }
  return { result: { status: "completed", summary: counts }, errors };
}

function importRecord(
  tenant: Tenant,
  connection: Connection,
  record: unknown,
  upsert: boolean,
): "inserted" | "updated" | readonly RecordProblem[] {
  const problems = recordProblems(record);
  if (problems.length > 0 || !isJsonObject(record)) return problems;
  const existing = tenant.users.findHolder(connection.name, "email", (textIn(record, "email") ?? "").toLowerCase());
  if (existing && !upsert) {
    return [{ code: "DUPLICATED_USER", message: "The user already exist and upsert parameter is false" }];
  }
  if (existing) {
    tenant.users.put(upserted(tenant, connection, existing, record));
    return "updated";
  }
  try {
    addUser(tenant, connection, importedUser(tenant, connection, record), undefined);
    return "inserted";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ code: "CONFLICT", message: error.message }];
  }
}

/** As POST makes it, but for the host of the picture (recorded); a hashed password is not kept: nobody logs in here. */
function importedUser(tenant: Tenant, connection: Connection, record: JsonObject): User {
  const { password_hash: _hash, custom_password_hash: _custom, mfa_factors: _factors, ...attributes } = record;
  const user = newUser(tenant, connection, attributes);
  const picture = textIn(user.attributes, "picture");
  if (picture === undefined || record["picture"] !== undefined) return user;
  const secure = picture.replace("https://s.gravatar.com/", "https://secure.gravatar.com/");
  return { ...user, attributes: { ...user.attributes, picture: secure } };
}

/** What an upsert may touch (documented). */
const UPSERTED = "app_metadata user_metadata email_verified given_name family_name name nickname picture".split(" ");

/** Metadata are replaced, not merged (documented). */
function upserted(tenant: Tenant, connection: Connection, user: User, record: JsonObject): User {
  const changes = Object.fromEntries(Object.entries(record).filter(([name]) => UPSERTED.includes(name)));
  const { user_metadata: userMetadata, app_metadata: appMetadata, ...rest } = user.attributes;
  const kept = {
    ...rest,
    ...(changes["user_metadata"] === undefined && userMetadata !== undefined && { user_metadata: userMetadata }),
    ...(changes["app_metadata"] === undefined && appMetadata !== undefined && { app_metadata: appMetadata }),
  };
  return { ...user, updatedAtMs: changedAtMs(user, tenant.now()), attributes: withChanges(kept, changes, connection) };
}
