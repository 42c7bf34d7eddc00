/**
 * Jobs: work that is asked for with one call and looked at with others. Here the work is done when it is asked for, and the
 * job says so a while later (`jobDurationMs`); clients see what Auth0's look like, at any speed.
 */
import { Ajv, type JSONSchemaType } from "ajv";
import type { EpochMs } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import type { Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import { refusal } from "../refusal.ts";
import type { Collection } from "../state/collection.ts";
import type { State } from "../state/state.ts";
import type { Tenant } from "../tenant.ts";
import { downloadLink, exportUsers } from "./export-users.ts";
import { importUsers } from "./import-users.ts";
import { sendVerificationEmail } from "./verification-email.ts";

export interface Job {
  readonly id: string;
  readonly type: "users_import" | "users_export" | "verification_email";
  /** What was asked for, as each answer repeats it. */
  readonly asked: JsonObject;
  readonly createdAtMs: EpochMs;
  /** When the job says that it is done. */
  readonly doneAtMs: EpochMs;
  /** What it says then: `status`, and of an import a `summary`. */
  readonly result: JsonObject;
  /** What went wrong, user by user. */
  readonly errors: readonly JsonObject[];
}

export type NewJob = Pick<Job, "type" | "asked" | "result"> & Partial<Pick<Job, "errors">>;

/** Then all that is known of a job is gone (documented). */
const KEPT_MS = 24 * 3_600_000;

/** Older jobs are forgotten sooner, so that no client can fill the memory: a job may hold a whole file of errors. */
const MAX_JOBS = 1000;

export class Jobs {
  readonly #byId: Collection<Job>;

  constructor(state: State) {
    this.#byId = state.collection("jobs", parseJob);
  }

  find(id: string, now: EpochMs): Job | undefined {
    const job = this.#byId.find(id);
    if (job && now > job.doneAtMs + KEPT_MS) this.#byId.delete(id);
    return this.#byId.find(id);
  }

  /** Imports that are not done yet. */
  activeImports(now: EpochMs): number {
    return [...this.#byId.values()].filter(({ type, doneAtMs }) => type === "users_import" && doneAtMs > now).length;
  }

  put(job: Job): void {
    this.#byId.put(job.id, job);
    this.#byId.keepNewest(MAX_JOBS);
  }
}

const SCHEMA: JSONSchemaType<Job> = {
  type: "object",
  additionalProperties: false,
  required: ["id", "type", "asked", "createdAtMs", "doneAtMs", "result", "errors"],
  properties: {
    id: { type: "string" },
    type: { type: "string", enum: ["users_import", "users_export", "verification_email"] },
    asked: { type: "object", required: [] },
    createdAtMs: { type: "number" },
    doneAtMs: { type: "number" },
    result: { type: "object", required: [] },
    errors: { type: "array", items: { type: "object", required: [] } },
  },
};

const parseJob = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<Job>(SCHEMA), "job");

export const JOB_ENDPOINTS: readonly ApiEndpoint[] = [
  api("POST", "/jobs/users-imports", ["create:users"], (call) => accepted(call, 202, importUsers(call))),
  api("POST", "/jobs/users-exports", ["read:users"], (call) => accepted(call, 200, exportUsers(call))),
  api("POST", "/jobs/verification-email", ["update:users"], (call) => accepted(call, 201, sendVerificationEmail(call))),
  api("GET", "/jobs/{id}", ["create:users", "read:users"], getJob),
  api("GET", "/jobs/{id}/errors", ["create:users", "read:users"], listErrors),
];

/** The statuses of the three kinds differ (recorded). */
function accepted({ tenant }: ApiCall, status: number, { errors = [], ...job }: NewJob): Answer {
  const now = tenant.now();
  const doneAtMs = now + tenant.switches.jobDurationMs;
  const made: Job = { id: newId("job", tenant.random), createdAtMs: now, doneAtMs, errors, ...job };
  tenant.jobs.put(made);
  return { status, body: shownJob(made, { status: "pending" }) };
}

function shownJob({ id, type, asked, createdAtMs }: Job, more: JsonObject): JsonObject {
  return { type, ...asked, ...more, created_at: new Date(createdAtMs).toISOString(), id };
}

/** @throws Refusal 404, without an errorCode (recorded) */
function jobOf({ tenant, params }: ApiCall): Job {
  const job = tenant.jobs.find(params["id"] ?? "", tenant.now());
  if (!job) throw refusal(404, "The job does not exist.");
  return job;
}

function getJob(call: ApiCall): Answer {
  const job = jobOf(call);
  return { status: 200, body: shownJob(job, stateOf(call, job)) };
}

function stateOf(call: ApiCall, job: Job): JsonObject {
  if (!isDone(call.tenant, job)) return { status: "pending" };
  return job.type === "users_export" ? { ...job.result, location: downloadLink(call, job) } : job.result;
}

function isDone(tenant: Tenant, { doneAtMs }: Job): boolean {
  return tenant.now() >= doneAtMs;
}

/** 204 while there is nothing to report. */
function listErrors(call: ApiCall): Answer {
  const job = jobOf(call);
  if (!isDone(call.tenant, job) || job.errors.length === 0) return { status: 204 };
  return { status: 200, body: job.errors };
}
