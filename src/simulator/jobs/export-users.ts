/** `POST /api/v2/jobs/users-exports`, and the file that it leads to. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "../../runtime/json.ts";
import { isJsonObject } from "../../runtime/json.ts";
import type { ApiCall, Call } from "../call.ts";
import { findHeader, parseBody, type Answer } from "../http.ts";
import { defined, objectsIn, textFrom, textIn } from "../json.ts";
import { badRequest, inexistentConnection, refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import { wireUser } from "../users/user.ts";
import type { Job, NewJob } from "./jobs.ts";

/** Columns of a CSV file (documented). */
const MAX_CSV_FIELDS = 30;

const SCHEMA: Schema = {
  additional: { hint: "" },
  properties: {
    connection_id: {
      type: "string",
      pattern: /^con_[A-Za-z0-9]{16}$/,
      description: "connection_id of the connection from which users will be exported.",
    },
    format: { type: "string", enum: ["json", "csv"], description: "Format of the file. Must be `json` or `csv`." },
    limit: { type: "integer", minimum: 1, description: "Limit the number of records." },
    fields: {
      type: "array",
      items: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string", maxLength: 100 }, export_as: { type: "string", maxLength: 100 } },
      },
      description: "List of fields to be included in the CSV. Defaults to a predefined set of fields.",
    },
  },
};

/** CSV unless asked otherwise (recorded). */
export function exportUsers({ tenant, request }: ApiCall): NewJob {
  const body = parseBody(request);
  checkBody(body, SCHEMA);
  const { connection_id, format = "csv", limit, fields } = body;
  const id = textIn(body, "connection_id");
  const connection = id === undefined ? undefined : tenant.connections.findById(id);
  if (id !== undefined && !connection) throw inexistentConnection(400);
  if (format === "csv" && objectsIn(body, "fields").length > MAX_CSV_FIELDS) {
    throw badRequest(
      `Too many fields for a CSV export, at most ${String(MAX_CSV_FIELDS)} are allowed.`,
      "invalid_body",
    );
  }
  const asked = defined({ connection_id, format, limit, fields, connection: connection?.name });
  return { type: "users_export", asked, result: { status: "completed" } };
}

/** Seconds for which a link is good; a later read of the job has a new one (documented). */
const LINK_SECONDS = 60;

export function downloadLink({ tenant, request }: ApiCall, { id, asked }: Job): string {
  const until = Math.floor(tenant.now() / 1000) + LINK_SECONDS;
  const protocol = request.isSecure === true ? "https" : "http";
  const host = findHeader(request, "host") ?? tenant.domainOf(request);
  const name = `${id}.${String(asked["format"])}.gz`;
  const signature = signatureOf(tenant.keys.get("tokens"), name, until).toString("base64url");
  return `${protocol}://${host}/_simulator/exports/${name}?until=${String(until)}&signature=${signature}`;
}

function signatureOf(key: string, name: string, until: number): Buffer {
  return createHmac("sha256", key)
    .update(`${name}\0${String(until)}`)
    .digest();
}

/** The file of an export, gzipped, made when it is fetched: documented as no snapshot either. */
export function downloadExport({ tenant, params, query }: Call): Answer {
  const name = params["name"] ?? "";
  const until = Number(query.get("until"));
  const given = Buffer.from(query.get("signature") ?? "", "base64url");
  const expected = signatureOf(tenant.keys.get("tokens"), name, until);
  const isGood = given.length === expected.length && timingSafeEqual(given, expected);
  const job = tenant.jobs.find(name.split(".", 1)[0] ?? "", tenant.now());
  if (!isGood || !job || tenant.now() > until * 1000) throw refusal(403, "Request has expired");
  const { connection, limit = Infinity, format } = job.asked;
  const users = tenant.users
    .values()
    .filter(({ identities }) => connection === undefined || identities.some((each) => each.connection === connection))
    .take(typeof limit === "number" ? limit : Infinity)
    .map(wireUser);
  const text = (format === "json" ? jsonLines : csvLines)(users, fieldsOf(job.asked)).join("\n");
  return { status: 200, headers: { "content-type": "application/gzip" }, bytes: gzipSync(`${text}\n`) };
}

interface Field {
  readonly name: string;
  readonly exportAs: string;
}

/** What a CSV file holds unless fields are named (documented). */
const DEFAULT_FIELDS = "user_id email name nickname email_verified created_at updated_at".split(" ");

function fieldsOf(asked: JsonObject): readonly Field[] {
  const fields = objectsIn(asked, "fields").map((field): Field => {
    const name = textIn(field, "name") ?? "";
    return { name, exportAs: textIn(field, "export_as") ?? name };
  });
  return fields;
}

function jsonLines(users: IteratorObject<JsonObject>, fields: readonly Field[]): string[] {
  const pick = (user: JsonObject): JsonObject =>
    fields.length === 0
      ? user
      : defined(Object.fromEntries(fields.map(({ name, exportAs }) => [exportAs, valueAt(user, name)])));
  return Array.from(users, (user) => JSON.stringify(pick(user)));
}

/** Every text begins with an apostrophe, so that no spreadsheet takes it for a formula (documented). */
function csvLines(users: IteratorObject<JsonObject>, fields: readonly Field[]): string[] {
  const columns = fields.length > 0 ? fields : DEFAULT_FIELDS.map((name) => ({ name, exportAs: name }));
  const lines = users.map((user) => columns.map(({ name }) => csvValue(valueAt(user, name))).join(","));
  return [columns.map(({ exportAs }) => quoted(exportAs)).join(","), ...lines];
}

function csvValue(value: unknown): string {
  return quoted(typeof value === "string" ? `'${value}` : (textFrom(value) ?? ""));
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** `identities[0].connection`, `user_metadata.plan` and the like. */
function valueAt(user: JsonObject, path: string): unknown {
  let value: unknown = user;
  for (const step of path.split(/[.[\]]+/).filter((each) => each !== "")) {
    if (Array.isArray(value)) value = value[Number(step)];
    else value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}
