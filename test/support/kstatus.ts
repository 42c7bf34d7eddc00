/**
 * What kstatus makes of an object: the rules by which Flux and `helm --wait` judge kinds that they do not know
 * (sigs.k8s.io/cli-utils, pkg/kstatus/status/generic.go and status.go).
 */
import type { Shown } from "./world.ts";

export type KStatus = "Terminating" | "InProgress" | "Failed" | "Current";

export function kstatusOf({ metadata, status }: Shown): KStatus {
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation)
    return "InProgress";
  const is = (type: string): string | undefined => status?.conditions?.find((one) => one.type === type)?.status;
  if (is("Reconciling") === "True") return "InProgress";
  if (is("Stalled") === "True") return "Failed";
  const ready = is("Ready");
  return ready === undefined || ready === "True" ? "Current" : "InProgress";
}
