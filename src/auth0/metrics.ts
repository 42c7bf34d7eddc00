/** The metrics of all connections to tenants. Made once for a registry and handed to each. */
import { Counter, Histogram, type Registry } from "prom-client";
import { SampledGauge } from "../runtime/sampled-gauge.ts";

export class Auth0Metrics {
  readonly requests;
  readonly durations;
  readonly quotaLimit;
  readonly quotaRemaining;
  readonly quotaRefill;
  readonly quotaWaiting;
  readonly tokenExpiry;

  constructor(registry: Registry) {
    const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
      new SampledGauge(registry, `auth0_user_operator_auth0_${name}`, help, labelNames);

    this.requests = new Counter({
      name: "auth0_user_operator_auth0_requests_total",
      help: "Calls to Auth0 by route and status; status 0 is no answer, 429 a refusal for the rate limit",
      labelNames: ["tenant", "method", "route", "status"],
      registers: [registry],
    });
    this.durations = new Histogram({
      name: "auth0_user_operator_auth0_request_duration_seconds",
      help: "Time from sending a call to Auth0 to the end of its answer",
      labelNames: ["tenant", "method", "route"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    });
    const bucket = ["tenant", "bucket"] as const;
    this.quotaLimit = gauge(
      "quota_limit",
      "Size of one of the tenant's rate limits; the label names it by this, and by calls in it where two are of one size",
      bucket,
    );
    this.quotaRemaining = gauge("quota_remaining", "Calls that the tenant would take now, as far as is known", bucket);
    this.quotaRefill = gauge("quota_refill_per_second", "Calls that flow in each second, at least", bucket);
    this.quotaWaiting = gauge("quota_waiting_calls", "Calls that wait for the rate limit", bucket);
    this.tokenExpiry = gauge("token_expiry_timestamp_seconds", "When the access token in use ends; renewed before", [
      "tenant",
    ]);
  }
}
