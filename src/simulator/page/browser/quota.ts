/** How full the buckets of the plan are. */
import { find, make } from "./elements.ts";

export interface Bucket {
  readonly name: string;
  readonly burst: number;
  readonly remaining: number;
  readonly perSecond: number;
}

/** Below this share a bar turns red. */
const LOW = 0.2;

const NAMES: Readonly<Record<string, string>> = {
  global: "All of the Management API",
  readUsers: "Read users",
  writeUsers: "Write users",
  deleteUsers: "Delete users",
  readLogs: "Read logs",
  connections: "Connections",
  readMembers: "Read members",
  writeMembers: "Write members",
  other: "Everything else",
  authentication: "Tokens",
};

const buckets = find("#buckets", HTMLElement);

export function showQuota(levels: readonly Bucket[]): void {
  if (levels.length === 0) {
    buckets.replaceChildren(make("p", "quiet", "No plan: nothing is limited. Start with --plan to see limits."));
    return;
  }
  if (buckets.querySelectorAll(".bucket").length !== levels.length) buckets.replaceChildren(...levels.map(bucket));
  levels.forEach(({ name, burst, remaining }, index) => {
    const row = buckets.children[index];
    const bar = row?.querySelector(".bar");
    const fill = bar?.firstElementChild;
    if (!row || !bar || !(fill instanceof HTMLElement)) return;
    fill.style.width = `${String((100 * remaining) / burst)}%`;
    bar.classList.toggle("low", remaining < LOW * burst);
    bar.setAttribute("aria-valuenow", String(remaining));
    const text = row.querySelector(".left");
    if (text) text.textContent = `${String(remaining)} of ${String(burst)}`;
    bar.setAttribute("aria-label", NAMES[name] ?? name);
  });
}

function bucket({ name, burst, perSecond }: Bucket): HTMLElement {
  const rate = Number.isInteger(perSecond) ? `${String(perSecond)}/s` : `${(perSecond * 60).toFixed(0)}/min`;
  const bar = make("div", "bar", make("div", ""));
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", String(burst));
  const label = make("span", "", NAMES[name] ?? name, " ", make("span", "quiet", rate));
  return make("div", "bucket", make("div", "", label, make("span", "left quiet")), bar);
}
