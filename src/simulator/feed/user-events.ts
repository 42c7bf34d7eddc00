/** Changes of users as events of the feed. */
import type { EpochMs } from "../../runtime/clock.ts";
import { wireUser, type User } from "../users/user.ts";
import type { EventLog } from "./event-log.ts";

/** `undefined` before a creation and after a deletion. */
export function announceUser(feed: EventLog, before: User | undefined, after: User | undefined, now: EpochMs): void {
  if (after) feed.announce(before ? "user.updated" : "user.created", () => wireUser(after));
  else if (before) {
    feed.announce("user.deleted", () => ({ ...wireUser(before), deleted_at: new Date(now).toISOString() }));
  }
}
