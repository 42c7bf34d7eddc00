/** Calls and events, newest first. */
import { ask } from "./ask.ts";
import { find, make, onClick } from "./elements.ts";

export interface Call {
  readonly number: number;
  readonly time: string;
  readonly method: string;
  readonly path: string;
  /** 0: the connection was reset. */
  readonly status: number;
  readonly ms: number;
}

export interface FeedEvent {
  readonly number: number;
  readonly time: string;
  readonly type: string;
  readonly subject: string | null;
}

/** Lines that stay; older ones go. */
const MOST_LINES = 200;

const callList = find("#call-list", HTMLOListElement);
const eventList = find("#event-list", HTMLOListElement);

/** @param isNew the counts began anew: what is shown is gone */
export function showCalls(calls: readonly Call[], isNew: boolean): void {
  const lines = calls.map(({ time, method, path, status, ms }) =>
    line(
      time,
      [make("strong", "", method), " ", decoded(path)],
      [
        make(
          "span",
          status === 0 || status >= 500 ? "bad" : status >= 400 ? "warn" : "good",
          status === 0 ? "reset" : String(status),
        ),
        make("span", "ms", ` ${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`),
      ],
    ),
  );
  prepend(callList, lines, isNew, "No calls yet.");
}

export function showEvents(events: readonly FeedEvent[], isNew: boolean): void {
  const lines = events.map(({ time, type, subject }) => line(time, [make("strong", "", type), " ", subject ?? ""], []));
  prepend(eventList, lines, isNew, "Nothing has happened yet.");
}

onClick("#clear-calls", async () => {
  await ask("DELETE", "calls");
});

function line(time: string, what: readonly (Node | string)[], end: readonly Node[]): HTMLLIElement {
  const clock = make("time", "", new Date(time).toLocaleTimeString("en-GB"));
  clock.dateTime = time;
  return make("li", "", clock, make("span", "what", ...what), make("span", "end", ...end));
}

function prepend(list: HTMLOListElement, lines: readonly HTMLLIElement[], isNew: boolean, empty: string): void {
  if (isNew) list.replaceChildren();
  if (lines.length > 0) {
    list.querySelector(".empty")?.remove();
    list.prepend(...lines.toReversed());
    while (list.children.length > MOST_LINES) list.lastElementChild?.remove();
  } else if (list.children.length === 0) {
    list.append(make("li", "empty", empty));
  }
}

/** Easier to read than `%7C`, where it can be read. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
