/** A condition as every kind of ours has it in its status. */
import type { K8sSchema } from "./k8s-schema.ts";

export const CONDITION = {
  type: "object",
  required: ["type", "status", "observedGeneration", "lastTransitionTime", "reason", "message"],
  properties: {
    type: { type: "string", maxLength: 316 },
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    observedGeneration: { type: "integer", format: "int64", minimum: 0 },
    lastTransitionTime: { type: "string", format: "date-time" },
    reason: { type: "string", minLength: 1, maxLength: 1024 },
    message: { type: "string", maxLength: 32768 },
  },
} as const satisfies K8sSchema;
