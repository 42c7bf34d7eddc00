/** Switches for what shall go wrong. Each is a rule of the fault plan; rules of other making stay as they are. */
import { ask, giveNotice, Refused } from "./ask.ts";
import { find, make, onClick, run } from "./elements.ts";

type Rule = Readonly<Record<string, string | number | boolean>>;

export interface FaultPlan {
  readonly seed: number;
  readonly rules: readonly Rule[];
}

const PRESETS: readonly { readonly label: string; readonly rule: Rule }[] = [
  { label: "Slow answers", rule: { kind: "latency", ms: 300, p99Ms: 2000, route: "* /api/*", rate: 1 } },
  {
    label: "Too many requests, 1 in 5",
    rule: { kind: "status", status: 429, workDone: false, route: "* /api/*", rate: 0.2 },
  },
  {
    label: "Server errors, 1 in 10",
    rule: { kind: "status", status: 503, workDone: false, route: "* /api/*", rate: 0.1 },
  },
  { label: "Answers lost after the work, 1 in 10", rule: { kind: "reset-after", route: "* /api/*", rate: 0.1 } },
  { label: "Connections reset, 1 in 10", rule: { kind: "reset-before", route: "* /api/*", rate: 0.1 } },
  { label: "Events swallowed, 1 in 2", rule: { kind: "feed-gap", event: "*", rate: 0.5 } },
  { label: "Events twice", rule: { kind: "feed-duplicate", event: "*", rate: 1 } },
  { label: "Feed breaks, 1 in 4", rule: { kind: "feed-break", event: "*", rate: 0.25 } },
];

const text = find("#plan", HTMLTextAreaElement);
let plan: FaultPlan = { seed: 1, rules: [] };
/** Begun or done by this page. */
let changes = 0;

const boxes = PRESETS.map(({ label, rule }) => {
  const box = make("input", "");
  box.type = "checkbox";
  box.addEventListener("change", () => {
    const others = plan.rules.filter((each) => !isSame(each, rule));
    run(() => setPlan({ ...plan, rules: box.checked ? [...others, rule] : others }));
  });
  find("#presets", HTMLElement).append(make("label", "", box, label));
  return { box, rule };
});

/** To be called before the plan is asked for: an answer that a change has overtaken is not shown. */
export function faultsShower(): (current: FaultPlan) => void {
  const before = changes;
  return (current) => {
    if (before === changes) showFaults(current);
  };
}

function showFaults(current: FaultPlan): void {
  plan = current;
  for (const { box, rule } of boxes) box.checked = plan.rules.some((each) => isSame(each, rule));
  if (document.activeElement !== text && text.dataset["edited"] === undefined) {
    text.value = JSON.stringify(plan, null, 2);
  }
}

text.addEventListener("input", () => {
  text.dataset["edited"] = "yes";
});

onClick("#set-plan", async () => {
  await setPlan(parsed(text.value));
  delete text.dataset["edited"];
});

onClick("#end-faults", async () => {
  delete text.dataset["edited"];
  await setPlan({});
});

async function setPlan(next: unknown): Promise<void> {
  changes++;
  await ask("PUT", "faults", next).finally(() => changes++);
  showFaults((await ask<FaultPlan>("GET", "faults")).body);
}

/** The plan is kept as the simulator filled it in: keys may come in another order. */
function isSame(one: Rule, other: Rule): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => one[key] === other[key]);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    giveNotice(`The plan is no JSON: ${String(error)}`);
    throw new Refused("no JSON");
  }
}
