/** What the plans of Auth0 allow: the figures of its rate limit policy (documentation of August 2026). */

/** The buckets that self-service plans count calls to the Management API in; `other` is all the rest together. */
export type EndpointBucket =
  "readUsers" | "writeUsers" | "deleteUsers" | "readLogs" | "connections" | "readMembers" | "writeMembers" | "other";

export interface Rate {
  /** Calls at once after a rest. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface Plan {
  /** Over all of the Management API, tested before the endpoint's. */
  readonly global?: Rate;
  readonly endpoints: Readonly<Partial<Record<EndpointBucket, Rate>>>;
  /** Over the Authentication API (`POST /oauth/token`); its burst is documented nowhere and taken to be one second's. */
  readonly authentication: Rate;
  /** Connections to the event feed at once; documented for the three plans, taken to be Enterprise's for private clouds. */
  readonly feedConnections: number;
}

export type PlanName =
  | "free"
  | "self-service"
  | "enterprise"
  | "enterprise-non-production"
  | "private-cloud-100"
  | "private-cloud-500"
  | "private-cloud-development";

const perMinute = (burst: number, calls: number): Rate => ({ burst, perSecond: calls / 60 });
const perSecond = (calls: number): Rate => ({ burst: calls, perSecond: calls });

const ENTERPRISE = {
  endpoints: { readMembers: perMinute(40, 500), writeMembers: perMinute(20, 200) },
  authentication: perSecond(100),
  feedConnections: 8,
};

export const PLANS: Readonly<Record<PlanName, Plan>> = {
  free: { global: { burst: 2, perSecond: 2 }, endpoints: {}, authentication: perSecond(30), feedConnections: 1 },
  "self-service": {
    endpoints: {
      readUsers: perMinute(40, 500),
      writeUsers: perMinute(20, 200),
      deleteUsers: perMinute(20, 200),
      readLogs: perMinute(10, 100),
      connections: perMinute(5, 50),
      readMembers: perMinute(40, 500),
      writeMembers: perMinute(20, 200),
      other: perMinute(10, 150),
    },
    authentication: perSecond(25),
    feedConnections: 4,
  },
  enterprise: { global: { burst: 50, perSecond: 16 }, ...ENTERPRISE },
  "enterprise-non-production": { global: { burst: 10, perSecond: 2 }, ...ENTERPRISE },
  "private-cloud-100": { global: perSecond(50), ...ENTERPRISE },
  "private-cloud-500": { global: perSecond(250), ...ENTERPRISE },
  "private-cloud-development": { global: perSecond(20), ...ENTERPRISE },
};
