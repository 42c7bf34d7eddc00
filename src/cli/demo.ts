/**
 * `demo`: the main job told as a story on this machine. Each step is done, then looked for at the tenant; the story goes on
 * when the fact was seen, and fails when it was not. The stage (a cluster, or a directory) is handed in: same story.
 */
import type { Writable } from "node:stream";
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

/** What a person would type, and what they would see. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

export interface Stage {
  /** Brings the examples in. */
  applyExamples(signal: AbortSignal): Promise<Shown>;
  /** The resources and how they stand. */
  show(signal: AbortSignal): Promise<Shown>;
  /** Takes the nickname away from the example user `jane`. */
  removeNickname(signal: AbortSignal): Promise<Shown>;
  /** Takes the example user `smallest` away. */
  deleteSmallest(signal: AbortSignal): Promise<Shown>;
  /** What to try next, a line each. */
  readonly hints: readonly string[];
}

export interface DemoParts {
  readonly stage: Stage;
  /** Of the simulated tenant. */
  readonly tenantUrl: string;
  readonly out: Writable;
  readonly clock: Clock;
}

/** A machine that builds something else beside it is slow; a fact that is not there by then is none. */
const FACT_TIMEOUT_MS = 90_000;
const LOOK_EVERY_MS = 200;

/** @throws Error that says which fact was not seen */
export async function tellStory(parts: DemoParts, signal: AbortSignal): Promise<void> {
  const { stage, out } = parts;
  const tenant = new TenantView(parts);
  const step = (text: string): void => {
    out.write(`\n${text}\n`);
  };

  step("1. Users are declared in YAML and created at Auth0.");
  print(out, await stage.applyExamples(signal));
  const users = ["smallest", "jane", "terse", "meta", "passwordless", "full"];
  await tenant.until("all six users exist", (all) => users.every((name) => find(all, name) !== undefined), signal);
  await tenant.until("jane has her nickname", (all) => find(all, "jane")?.["nickname"] === "jd", signal);
  print(out, await stage.show(signal));

  step("2. Somebody changes a user by hand, in the tenant's dashboard: drift.");
  await tenant.edit("jane", { nickname: "changed-by-hand" });
  out.write("   jane's nickname at Auth0 is now changed-by-hand\n");
  await tenant.until(
    "the nickname is what the manifest says again",
    (all) => find(all, "jane")?.["nickname"] === "jd",
    signal,
  );
  out.write("   repaired: jane's nickname at Auth0 is jd again\n");

  step("3. An attribute is removed: declared absent, absent at Auth0.");
  print(out, await stage.removeNickname(signal));
  await tenant.until("jane has no nickname", (all) => !("nickname" in (find(all, "jane") ?? { nickname: "" })), signal);
  out.write("   removed: jane has no nickname at Auth0\n");

  step("4. A resource is deleted, and its user with it.");
  print(out, await stage.deleteSmallest(signal));
  await tenant.until("smallest@example.com is gone", (all) => find(all, "smallest") === undefined, signal);
  out.write("   deleted: smallest@example.com is gone from Auth0\n");

  const calls = await tenant.calls();
  step(`All of it cost ${String(calls["total"])} calls to Auth0: ${JSON.stringify(calls["byRoute"])}`);
}

function print(out: Writable, { command, output }: Shown): void {
  out.write(`   $ ${command}\n`);
  if (output !== "") out.write(`${output.trimEnd().replaceAll(/^/gm, "   ")}\n`);
}

function find(users: readonly JsonObject[], name: string): JsonObject | undefined {
  return users.find((user) => user["email"] === `${name}@example.com`);
}

/** The truth at the tenant, as the simulator shows it beside the API. */
class TenantView {
  readonly #parts: DemoParts;

  constructor(parts: DemoParts) {
    this.#parts = parts;
  }

  async until(fact: string, holds: (users: readonly JsonObject[]) => boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    while (!holds(await this.#users())) {
      if (clock.monotonicMs() - startMs > FACT_TIMEOUT_MS) throw new Error(`the demo did not see that ${fact}`);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async edit(name: string, changes: JsonObject): Promise<void> {
    const user = find(await this.#users(), name);
    const path = `users/${encodeURIComponent(String(user?.["user_id"]))}`;
    await this.#ask(path, {
      method: "PATCH",
      body: JSON.stringify(changes),
      headers: { "content-type": "application/json" },
    });
  }

  async calls(): Promise<JsonObject> {
    const calls = await this.#ask("calls");
    return isJsonObject(calls) ? calls : {};
  }

  async #users(): Promise<JsonObject[]> {
    const users = await this.#ask("users");
    return Array.isArray(users) ? users.filter(isJsonObject) : [];
  }

  async #ask(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(`${this.#parts.tenantUrl}/_simulator/${path}`, init);
    if (!response.ok) throw new Error(`the simulator answers ${String(response.status)} to ${path}`);
    return response.json();
  }
}
