/** What people are told of a pass, once: Events on the resource, lines in the log. Names of attributes, never values. */
import type { Reason } from "../reconcile/reasons.ts";
import type { Outcome } from "../reconcile/outcome.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { isNews, referenceTo } from "./status-writer.ts";
import type { UserParts } from "./user-parts.ts";

export interface Reported {
  readonly outcome: Outcome;
  /** Attributes that were managed before and that the spec mentions no more. */
  readonly released: readonly string[];
  /** Nulls that were found in the last-applied annotation, and not before. */
  readonly recovered: readonly string[];
}

export function reportPass(
  resource: Auth0UserResource,
  { outcome, released, recovered }: Reported,
  parts: UserParts,
): void {
  const { status, key } = resource;
  const { verdict, user, changed, isDrift, reported } = outcome;
  const tell = (type: "Normal" | "Warning", reason: Reason, note: string): void => {
    parts.recorder.event({ regarding: referenceTo(resource), type, reason, action: "Reconcile", note });
  };
  if (verdict.kind === "ready" && verdict.reason !== undefined && verdict.reason !== "InSync") {
    tell("Normal", verdict.reason, verdict.message);
    parts.log.info(LINE_OF[verdict.reason] ?? "user reconciled", { key, userId: user?.userId, changed, isDrift });
  }
  if (verdict.kind === "refused" && isNews(status, verdict.reason, verdict.message)) {
    tell("Warning", verdict.reason, verdict.message);
    parts.log.warn("user not as declared", {
      key,
      userId: user?.userId,
      reason: verdict.reason,
      message: verdict.message,
    });
  }
  const known = status.driftedAttributes ?? [];
  const news = reported.filter((path) => !known.includes(path));
  parts.drift.add(isDrift ? changed : [], "corrected");
  parts.drift.add(news, "reported");
  if (news.length > 0) tell("Warning", "DriftDetected", `differs at Auth0 and is left alone: ${news.join(", ")}`);
  if (recovered.length > 0) {
    tell(
      "Normal",
      "NullRecovered",
      `removed because the last applied configuration says null, which kubectl apply drops: ${recovered.join(", ")}; removeAttributes survives every client`,
    );
  }
  if (released.length > 0) {
    tell(
      "Normal",
      "AttributeReleased",
      `no longer looked after, the values stay at Auth0: ${released.join(", ")}; to remove them, name them in removeAttributes`,
    );
  }
}

const LINE_OF: Readonly<Partial<Record<Reason, string>>> = {
  Created: "user created",
  Adopted: "user adopted",
  Recreated: "user created again",
  Updated: "user updated",
  DriftCorrected: "drift corrected",
};
