/**
 * Behaviour of Auth0 that is recorded nowhere, or on which sources disagree. Each is a switch with a default; a client is
 * right only if it is right under every setting.
 */
import { Ajv, type JSONSchemaType } from "ajv";
import type { JsonObject } from "../runtime/json.ts";
import { parserFrom, SCHEMA_OPTIONS } from "./parser.ts";

/**
 * Moments between which recorded answers differ, oldest first: deliveries page by `next` (September 2025), passkeys and the
 * policies of APIs (April 2026), third parties in organizations (between), entitlements and the missing total (August 2026).
 */
export const API_VERSIONS = ["2023", "2025-09", "2026-04", "2026-06", "2026-08"] as const;

export type ApiVersion = (typeof API_VERSIONS)[number];

export interface Switches {
  readonly apiVersion: ApiVersion;
  readonly nullRootAttribute: "removed" | "regenerated" | "refused";
  readonly emptyPatch: "accepted" | "refused";
  readonly readOnlyAttributeInPatch: "refused" | "ignored";
  readonly emailVerifiedOnEmailChange: "kept" | "reset";
  readonly nameMaxLength: number;
  readonly nicknameMaxLength: number;
  readonly searchLagMs: number;
  readonly recreateConflictMs: number;
  readonly retryAfterOn429: boolean;
  readonly rateLimitHeadersOn4xx: boolean;
  readonly clockSkewMs: number;
  readonly tokenLifetimeSeconds: number;
  readonly jobDurationMs: number;
  readonly verificationEmail: "completed" | "failed";
  readonly logLagMs: number;
  readonly endsSessions: "changes" | "everything-sent";
  readonly keyOrder: "stable" | "shuffled";
  readonly feedRetention: number;
  readonly feedHeartbeatMs: number;
  readonly feedLifetimeMs: number;
}

/** The one table of switches: `default` is what holds unless set, `description` what it decides and why that default. */
export const SWITCHES: JSONSchemaType<Switches> = {
  type: "object",
  additionalProperties: false,
  required: [],
  properties: {
    apiVersion: {
      type: "string",
      enum: API_VERSIONS,
      default: "2026-08",
      description:
        "Answers differ by year in the recordings: members' cursors, keys of organizations, connections and APIs. The " +
        "default is the newest.",
    },
    nullRootAttribute: {
      type: "string",
      enum: ["removed", "regenerated", "refused"],
      default: "removed",
      description:
        "null for name, nickname, picture, given_name or family_name of a database or passwordless user: gone; or name, " +
        "nickname and picture derived anew; or 400. The documents say that null removes, and list a refusal as well.",
    },
    emptyPatch: {
      type: "string",
      enum: ["accepted", "refused"],
      default: "accepted",
      description: "PATCH with {}: 200 and a new updated_at, or 400. The schema asks for no property.",
    },
    readOnlyAttributeInPatch: {
      type: "string",
      enum: ["refused", "ignored"],
      default: "refused",
      description:
        "PATCH with user_id, identities, created_at and the like: 400 as reported in 2017, or ignored as today's open " +
        "schema would allow. The default finds the client that sends back what it read.",
    },
    emailVerifiedOnEmailChange: {
      type: "string",
      enum: ["kept", "reset"],
      default: "kept",
      description:
        "PATCH with email alone: email_verified stays, or becomes false. PATCH is said to touch what it names.",
    },
    nameMaxLength: {
      type: "integer",
      minimum: 1,
      default: 300,
      description: "Longest name: 300 in the OpenAPI document, 150 on the page about profiles.",
    },
    nicknameMaxLength: {
      type: "integer",
      minimum: 1,
      default: 300,
      description: "Longest nickname: 300 in the OpenAPI document, 350 on the page about profiles.",
    },
    searchLagMs: {
      type: "integer",
      minimum: 0,
      default: 0,
      description:
        "For how long GET /users shows what was before a write. Documented as eventually consistent, without a figure; " +
        "in the recordings a new user is found at once.",
    },
    recreateConflictMs: {
      type: "integer",
      minimum: 0,
      default: 0,
      description: "For how long after a deletion POST for the same address is 409. One report, of 1 to 3 s.",
    },
    retryAfterOn429: {
      type: "boolean",
      default: false,
      description: "Retry-After on 429. Not documented for the Management API.",
    },
    rateLimitHeadersOn4xx: {
      type: "boolean",
      default: false,
      description: "x-ratelimit-* on other refusals than 429. Recorded as absent on 400, 401 and 404.",
    },
    clockSkewMs: {
      type: "integer",
      default: 0,
      description: "How far the tenant's clock is ahead of this machine's, in every time that it tells.",
    },
    tokenLifetimeSeconds: {
      type: "integer",
      minimum: 1,
      default: 86_400,
      description: "Lifetime of access tokens; the default is that of Auth0's own Management API.",
    },
    jobDurationMs: {
      type: "integer",
      minimum: 0,
      default: 500,
      description: "How long a job is pending. Recorded: done within the 2 s after which clients look.",
    },
    verificationEmail: {
      type: "string",
      enum: ["completed", "failed"],
      default: "completed",
      description: "How a verification-email job ends. Recorded as failed, for a tenant that had no mail provider.",
    },
    logLagMs: {
      type: "integer",
      minimum: 0,
      default: 1000,
      description: "How long a log entry takes to be seen. Recorded: a creation is not in the log right after it.",
    },
    endsSessions: {
      type: "string",
      enum: ["changes", "everything-sent"],
      default: "changes",
      description:
        "Which email, username, phone_number, password or email_verified in a PATCH ends the user's sessions: one that " +
        "differs, as documented since August 2025, or any, as before.",
    },
    keyOrder: {
      type: "string",
      enum: ["stable", "shuffled"],
      default: "stable",
      description: "Order of the keys of a user. It differs by year in the recordings, so nobody may rely on it.",
    },
    feedRetention: {
      type: "integer",
      minimum: 0,
      default: 10_000,
      description:
        "How many of the last events the feed can go back to; a cursor from before is 410. Auth0 documents the 410, and not " +
        "how far back is kept. 0 expires every cursor that has not seen everything.",
    },
    feedHeartbeatMs: {
      type: "integer",
      minimum: 10,
      default: 15_000,
      description: "How often an idle feed says that it lives, and moves the cursor on. Documented without a figure.",
    },
    feedLifetimeMs: {
      type: "integer",
      minimum: 10,
      default: 300_000,
      description:
        "After what time the feed closes a connection. Documented as a few minutes, without saying how it is closed: here " +
        "as a response that ends.",
    },
  },
};

const parse = parserFrom(new Ajv(SCHEMA_OPTIONS).compile(SWITCHES), "switches");

/**
 * `current` with `changes` made to it.
 *
 * @throws InvalidInput naming every switch or value that does not exist
 */
export function changedSwitches(current: Switches | undefined, changes: JsonObject): Switches {
  return parse({ ...current, ...changes });
}
