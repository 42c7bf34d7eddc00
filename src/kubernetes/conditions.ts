/** Lists of conditions as the API conventions have them: one of each type, in the order in which they came. */
import type { EpochMs } from "../runtime/clock.ts";
import { formatTime } from "./timestamps.ts";

export interface Condition<Type extends string = string, Reason extends string = string> {
  readonly type: Type;
  readonly status: "True" | "False" | "Unknown";
  /** One CamelCase word, for programs. */
  readonly reason: Reason;
  /** A sentence, for people. */
  readonly message: string;
  /** The generation of the spec of which this is said. */
  readonly observedGeneration: number;
  /** When `status` last became another one. A new reason or message does not move it. */
  readonly lastTransitionTime: string;
}

/** What the API server takes of a message. */
const MAX_MESSAGE_LENGTH = 32_768;

export function findCondition<Type extends string, Reason extends string>(
  conditions: readonly Condition<Type, Reason>[],
  type: Type,
): Condition<Type, Reason> | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** The list with `condition` in place of the one of its type, or at the end where there was none. */
export function setCondition<Type extends string, Reason extends string>(
  conditions: readonly Condition<Type, Reason>[],
  condition: Omit<Condition<Type, Reason>, "lastTransitionTime">,
  now: EpochMs,
): readonly Condition<Type, Reason>[] {
  const { type, status, reason, observedGeneration } = condition;
  const isLong = condition.message.length > MAX_MESSAGE_LENGTH;
  const message = isLong ? `${condition.message.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : condition.message;
  const previous = findCondition(conditions, type);
  const lastTransitionTime = previous?.status === status ? previous.lastTransitionTime : formatTime(now);
  const next = { type, status, reason, message, observedGeneration, lastTransitionTime };
  return previous === undefined
    ? [...conditions, next]
    : conditions.map((candidate) => (candidate === previous ? next : candidate));
}

export function removeCondition<Type extends string, Reason extends string>(
  conditions: readonly Condition<Type, Reason>[],
  type: Type,
): readonly Condition<Type, Reason>[] {
  return conditions.filter((condition) => condition.type !== type);
}
