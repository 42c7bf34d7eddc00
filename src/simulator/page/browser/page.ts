/**
 * The page: asks the simulator once a second what is new, and hands that to its parts. It runs in a browser: nothing of the
 * other files of this room is in it.
 */
import { show } from "./elements.ts";
import { showCalls, showEvents } from "./activity.ts";
import { faultsShower } from "./faults.ts";
import { ask } from "./ask.ts";
import { listUsers, showUserCount } from "./user-list.ts";
import { showQuota, type Bucket } from "./quota.ts";
import type { Call, FeedEvent } from "./activity.ts";
import type { FaultPlan } from "./faults.ts";

/** What `GET /_simulator/live` answers. */
interface Live {
  readonly domain: string;
  readonly users: number;
  readonly total: number;
  readonly calls: readonly Call[];
  readonly happened: number;
  readonly events: readonly FeedEvent[];
  readonly followers: number;
  readonly quota: readonly Bucket[];
  readonly faults: FaultPlan;
}

const EVERY_MS = 1000;

let seenCalls = 0;
let seenEvents = -1;

async function refresh(): Promise<void> {
  const showFaults = faultsShower();
  const { body: live } = await ask<Live>(
    "GET",
    `live?calls=${String(seenCalls)}&events=${String(Math.max(seenEvents, 0))}`,
  );
  show("#domain", live.domain);
  for (const [what, count] of [
    ["users", live.users],
    ["calls", live.total],
    ["events", live.happened],
    ["followers", live.followers],
  ] as const) {
    show(`#total-${what}`, count.toLocaleString("en"));
  }
  showCalls(live.calls, live.total < seenCalls);
  showEvents(live.events, live.happened < seenEvents);
  showQuota(live.quota);
  showFaults(live.faults);
  const isChanged = live.happened !== seenEvents;
  seenCalls = live.total;
  seenEvents = live.happened;
  if (isChanged) await listUsers();
  else showUserCount();
}

/** Goes on for as long as the page is open; rests while nobody looks. */
async function follow(): Promise<never> {
  for (;;) {
    if (document.visibilityState === "visible") await refresh().catch(() => {}); // `ask` has said so.
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

void follow();
