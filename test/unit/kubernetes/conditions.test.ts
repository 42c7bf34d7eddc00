import test from "ava";
import { findCondition, removeCondition, setCondition, type Condition } from "../../../src/kubernetes/conditions.ts";
import { formatMicroTime, formatTime } from "../../../src/kubernetes/timestamps.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const ready: Condition = {
  type: "Ready",
  status: "True",
  reason: "InSync",
  message: "as declared",
  observedGeneration: 1,
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
const stalled: Condition = { ...ready, type: "Stalled", status: "False" };

test("a new condition comes last, with the time in whole seconds", (t) => {
  const { lastTransitionTime: _, ...condition } = ready;

  t.deepEqual(setCondition([stalled], condition, NOW), [
    stalled,
    { ...ready, lastTransitionTime: "2026-01-02T03:04:05Z" },
  ]);
});

test("another status moves lastTransitionTime", (t) => {
  t.deepEqual(setCondition([ready, stalled], { ...ready, status: "False", reason: "Failed" }, NOW), [
    { ...ready, status: "False", reason: "Failed", lastTransitionTime: "2026-01-02T03:04:05Z" },
    stalled,
  ]);
});

test("another reason, message or generation does not", (t) => {
  const changed = { ...ready, reason: "Updated", message: "now as declared", observedGeneration: 2 };

  t.deepEqual(setCondition([ready], changed, NOW), [changed]);
});

test("a lastTransitionTime that is handed in by mistake is not taken", (t) => {
  const { lastTransitionTime: _, ...condition } = ready;
  const handedIn = { ...condition, lastTransitionTime: "1999-01-01T00:00:00Z" };

  t.is(setCondition([], handedIn, NOW)[0]?.lastTransitionTime, "2026-01-02T03:04:05Z");
});

test("conditions are found and removed by type, and the list that was given stays as it is", (t) => {
  const list = Object.freeze([ready, stalled]);

  t.is(findCondition(list, "Stalled"), stalled);
  t.is(findCondition(list, "Synced"), undefined);
  t.deepEqual(removeCondition(list, "Ready"), [stalled]);
  t.deepEqual(removeCondition(list, "Synced"), [ready, stalled]);
});

test("times have the digits that the API takes", (t) => {
  t.is(formatTime(NOW), "2026-01-02T03:04:05Z");
  t.is(formatMicroTime(NOW), "2026-01-02T03:04:05.678000Z");
  t.is(formatMicroTime(Date.UTC(2026, 0, 1)), "2026-01-01T00:00:00.000000Z");
});
