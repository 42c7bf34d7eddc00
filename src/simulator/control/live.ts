/** What goes on, for the page: asked for again and again, it answers with what is new. */
import type { Answer } from "../http.ts";
import type { ControlCall } from "./control-endpoints.ts";

/** Calls and events in one answer; who comes too late for more has missed them. */
const MOST = 100;

/**
 * @param call `calls` and `events` in its query: the numbers after the last that were seen, as `total` and `happened` of
 *   the former answer say
 */
export function showLive({ tenant, calls, query, request }: ControlCall): Answer {
  const { feed, quota, users, faults } = tenant;
  const events = feed.since(numberIn(query, "events"), MOST).map(({ number, type, timeMs, object }) => ({
    number,
    type,
    time: new Date(timeMs).toISOString(),
    subject: object()["user_id"] ?? null,
  }));
  return {
    status: 200,
    body: {
      domain: tenant.domainOf(request),
      users: users.size,
      total: calls.total,
      calls: calls.since(numberIn(query, "calls"), MOST),
      happened: feed.end,
      events,
      followers: feed.followers.size,
      quota: quota.levels(),
      faults: faults.plan,
    },
  };
}

function numberIn(query: URLSearchParams, name: string): number {
  const number = Number(query.get(name) ?? 0);
  return Number.isInteger(number) ? number : 0;
}
