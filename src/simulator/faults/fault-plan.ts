/** What shall go wrong, as tests and people ask for it with `PUT /_simulator/faults`. */
import { Ajv, type SchemaObject } from "ajv";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";

export interface FaultPlan {
  /** The same plan with the same seed hits the same calls. */
  readonly seed: number;
  readonly rules: readonly FaultRule[];
}

export type FaultRule = (Trigger & (Latency | Mishap)) | (FeedTrigger & FeedMishap);

export interface Trigger {
  /** Method and path as `GET /_simulator/calls` names routes, `*` for anything: `PATCH /api/v2/users/{id}`, `* /api/*`. */
  readonly route: string;
  /** The share of matching calls that are hit. */
  readonly rate: number;
  /** After as many hits the rule is spent. */
  readonly count?: number;
}

export interface FeedTrigger extends Omit<Trigger, "route"> {
  /** The type of the event, `*` for anything: `user.deleted`, `user.*`. */
  readonly event: string;
}

/** What happens to an event of the feed; the first that hits is taken. */
export type FeedMishap =
  /** It is delivered to nobody, and nobody is told. */
  | { readonly kind: "feed-gap" }
  /** It is delivered twice. */
  | { readonly kind: "feed-duplicate" }
  /** It is delivered `ms` later, after others that happened since. */
  | { readonly kind: "feed-late"; readonly ms: number }
  /** The connection is reset instead of delivering it; who comes back with a cursor gets it. */
  | { readonly kind: "feed-break" };

/** Answers come later: by `ms`, or drawn from a log-normal distribution with this median and 99th percentile. */
export interface Latency {
  readonly kind: "latency";
  readonly ms: number;
  readonly p99Ms?: number;
}

/** What happens to a call besides being late; the first that hits is taken. */
export type Mishap =
  /** Another answer; the work is not done, or is done and its answer withheld. */
  | { readonly kind: "status"; readonly status: number; readonly workDone: boolean }
  /** The connection is reset, and nothing was done. */
  | { readonly kind: "reset-before" }
  /** Everything was done, then the connection is reset: the answer is lost. */
  | { readonly kind: "reset-after" }
  /** The connection ends in the middle of the body. */
  | { readonly kind: "truncate" }
  /** The second half of the body comes `ms` later. */
  | { readonly kind: "slow-body"; readonly ms: number };

const MAX_RULES = 100;
const MAX_DELAY_MS = 3_600_000;

const DELAY = { type: "number", minimum: 0, maximum: MAX_DELAY_MS };

/** The schema of one kind of rule. */
function rule(kind: string, properties: SchemaObject = {}, required: readonly string[] = []): SchemaObject {
  return {
    type: "object",
    additionalProperties: false,
    required: ["kind", ...required],
    properties: {
      kind: { const: kind },
      [kind.startsWith("feed-") ? "event" : "route"]: { type: "string", maxLength: 200, default: "*" },
      rate: { type: "number", minimum: 0, maximum: 1, default: 1 },
      count: { type: "integer", minimum: 1 },
      ...properties,
    },
  };
}

const SCHEMA: SchemaObject = {
  type: "object",
  additionalProperties: false,
  properties: {
    seed: { type: "integer", default: 1 },
    rules: {
      type: "array",
      maxItems: MAX_RULES,
      default: [],
      items: {
        type: "object",
        required: ["kind"],
        discriminator: { propertyName: "kind" },
        oneOf: [
          rule("latency", { ms: DELAY, p99Ms: DELAY }, ["ms"]),
          rule(
            "status",
            { status: { type: "integer", minimum: 400, maximum: 599 }, workDone: { type: "boolean", default: false } },
            ["status"],
          ),
          rule("reset-before"),
          rule("reset-after"),
          rule("truncate"),
          rule("slow-body", { ms: DELAY }, ["ms"]),
          rule("feed-gap"),
          rule("feed-duplicate"),
          rule("feed-late", { ms: DELAY }, ["ms"]),
          rule("feed-break"),
        ],
      },
    },
  },
};

/** @throws InvalidInput */
export const parseFaultPlan = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<FaultPlan>(SCHEMA), "faults");
