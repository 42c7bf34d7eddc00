/**
 * The metrics of the kit, under the names of client-go and controller-runtime where those have one, so that dashboards
 * and alerts made for other controllers work for this one. Made once for a registry and handed to every part.
 */
import { Counter, Histogram, type Registry } from "prom-client";
import { SampledGauge } from "../runtime/sampled-gauge.ts";

export class KubernetesMetrics {
  readonly requests;
  readonly lists;
  readonly watches;
  readonly reflectorFailures;
  readonly queueDepth;
  readonly queueAdds;
  readonly queueRetries;
  readonly queueLatency;
  readonly workDuration;
  readonly unfinishedWork;
  readonly longestRunning;
  readonly reconciles;
  readonly reconcileErrors;
  readonly terminalErrors;
  readonly reconcileTime;
  readonly activeWorkers;
  readonly maxConcurrentReconciles;
  readonly leading;
  readonly events;

  constructor(registry: Registry) {
    const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
      new Counter({ name, help, labelNames, registers: [registry] });
    const histogram = <Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
      buckets: number[],
    ) => new Histogram({ name, help, labelNames, buckets, registers: [registry] });
    const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
      new SampledGauge(registry, name, help, labelNames);

    this.requests = counter(
      "rest_client_requests_total",
      "Calls to the API server by answer; code <error> is no answer at all",
      ["code", "method", "host"],
    );
    this.lists = counter("reflector_lists_total", "Complete lists begun", ["name"]);
    this.watches = counter("reflector_watches_total", "Watches begun", ["name"]);
    this.reflectorFailures = counter("reflector_failures_total", "Lists and watches that failed", ["name"]);
    this.queueDepth = gauge("workqueue_depth", "Keys that wait to be processed now", ["name", "priority"]);
    this.queueAdds = counter("workqueue_adds_total", "Keys added; one that waits already is not counted", ["name"]);
    this.queueRetries = counter("workqueue_retries_total", "Keys put back to be tried again later", ["name"]);
    this.queueLatency = histogram(
      "workqueue_queue_duration_seconds",
      "How long a key waited before it was processed",
      ["name", "priority"],
      QUEUE_BUCKETS,
    );
    this.workDuration = histogram(
      "workqueue_work_duration_seconds",
      "How long a key was processed",
      ["name"],
      QUEUE_BUCKETS,
    );
    this.unfinishedWork = gauge(
      "workqueue_unfinished_work_seconds",
      "Sum of how long the keys in hand have been processed so far; a steady rise means stuck work",
      ["name"],
    );
    this.longestRunning = gauge(
      "workqueue_longest_running_processor_seconds",
      "How long the key that was longest in hand has been processed so far",
      ["name"],
    );
    this.reconciles = counter("controller_runtime_reconcile_total", "Reconciles by result", ["controller", "result"]);
    this.reconcileErrors = counter("controller_runtime_reconcile_errors_total", "Reconciles that failed", [
      "controller",
    ]);
    this.terminalErrors = counter(
      "controller_runtime_terminal_reconcile_errors_total",
      "Reconciles that failed in a way that trying again would not help",
      ["controller"],
    );
    this.reconcileTime = histogram(
      "controller_runtime_reconcile_time_seconds",
      "How long a reconcile took",
      ["controller"],
      RECONCILE_BUCKETS,
    );
    this.activeWorkers = gauge("controller_runtime_active_workers", "Keys in hand", ["controller"]);
    this.maxConcurrentReconciles = gauge("controller_runtime_max_concurrent_reconciles", "Most keys in hand at once", [
      "controller",
    ]);
    this.leading = gauge("leader_election_master_status", "1 while this process holds the lease", ["name"]);
    this.events = counter("event_recorder_events_total", "Events by what became of them", ["type", "result"]);
  }
}

/** client-go's buckets: 10 ns to 1000 s, a decade each; the first three, below what a process can do, are left out. */
const QUEUE_BUCKETS = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
/** controller-runtime's, without every second one above 1 s. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 4, 6, 8, 10, 15,
  30, 60,
];
