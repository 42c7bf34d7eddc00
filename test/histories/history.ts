/**
 * One history: people, the operator and two tenants, in an order that a seed decides; calls that are lost, and lives of the
 * operator that end at any await. When the faults have ended everything must come to rest, and be as somebody declared it or
 * say truthfully why not; follow an edit at once; and when all is deleted, go.
 */
import { Chance } from "./chance.ts";
import { findWrong } from "./end-state.ts";
import { furnish } from "./furnish.ts";
import { GLOBEX, NAMESPACES } from "./names.ts";
import { kindOf } from "./kind.ts";
import { People } from "./people.ts";
import { Stage } from "./stage.ts";

export interface HistoryResult {
  readonly seed: number;
  /** What was wrong; empty where all went well. */
  readonly violations: readonly string[];
  /** Everything that happened, a line each. */
  readonly trace: readonly string[];
  /** What people did in it. */
  readonly deeds: ReadonlySet<string>;
  /** How often each reason was given by a resource that came to rest. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** What a far side answers that is not well. */
const REFUSALS = [429, 500, 503, 504];
/** How long things may take to come to rest once nothing fails any more: two intervals of comparison and some. */
const REST_MS = 25 * 60_000;
/** A resource may need more than one word: its tenant's deletions go on, and this user's linked identities may go. */
const CONFIRMATIONS = 3;
/** How long an edit may take. No user is compared on its own in so short a time, or hardly any. */
const NOTICE_MS = 10_000;

/** The same history for the same seed, to the letter. */
export async function runHistory(seed: number): Promise<HistoryResult> {
  const history = new History(seed);
  await history.run();
  history.end();
  return history.result;
}

class History {
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #stage: Stage;
  readonly #people: People;
  /** How likely a leg of a call is lost, a life ends at one, and the far side can't do what it is asked, or does not say so. */
  readonly #faults: { readonly loss: number; readonly death: number; readonly refusal: number };
  readonly #reasons = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
    const chance = new Chance(seed);
    const kind = kindOf(seed);
    const { maxDeletesPerHour, refusal } = kind;
    const stage = new Stage(seed, maxDeletesPerHour);
    this.#chance = chance;
    this.#stage = stage;
    const searchLagMs = chance.pick([0, 0, 2_000]);
    const recreateConflictMs = chance.pick([0, 0, 5_000]);
    for (const side of stage.sides) side.setSwitches({ searchLagMs, recreateConflictMs });
    this.#faults = {
      loss: chance.pick([0, 0.01, 0.04]) ?? 0,
      death: chance.pick([0, 0.003, 0.015]) ?? 0,
      refusal,
    };
    const restart = (meanwhile: () => void): void => {
      this.#restart(meanwhile);
    };
    if (kind.areAssigning) for (const side of stage.sides) side.assignments.furnish();
    this.#people = new People({ chance, stage, kind, restart });
    if (kind.isWatchingSecrets) stage.watchSecrets = NAMESPACES;
    furnish(stage, { userMarkers: kind.areAllMarked ? "All" : "AsNeeded", protection: { maxDeletesPerHour } });
  }

  get result(): HistoryResult {
    const { violations, trace } = this.#stage;
    return { seed: this.#seed, violations, trace, deeds: this.#people.done, reasons: this.#reasons };
  }

  async run(): Promise<void> {
    const { books } = this.#stage;
    const chance = this.#chance;
    const deeds = 20 + chance.integer(30);
    if (this.#stage.watchSecrets.length > 0) this.#restart(() => {});
    await this.#rest(1_000);
    for (let deed = 0; deed < deeds && this.#isWell; deed++) {
      books.tick();
      this.#stage.say(this.#people.act());
      const steps = chance.integer(chance.pick([3, 10, 40]) ?? 3);
      for (let step = 0; step < steps && this.#isWell; step++) await this.#step();
      if (chance.happens(0.1)) await this.#rest(chance.pick([1_000, 15 * 60_000]) ?? 0);
    }
    this.#people.mend();
    await this.#rest(REST_MS);
    if (this.#isWell) this.#checkAll();
    if (this.#isWell) await this.#editAll();
    if (this.#isWell) await this.#endAll();
  }

  end(): void {
    this.#stage.life.kill(() => false);
  }

  get #isWell(): boolean {
    return this.#stage.violations.length === 0;
  }

  /** One thing that is under way moves on; or something fails; or time passes. */
  async #step(): Promise<void> {
    const chance = this.#chance;
    const stage = this.#stage;
    const { wire, clock } = stage.life;
    const { death, loss, refusal } = this.#faults;
    stage.books.tick();
    const calls = wire.calls;
    const watches = [...stage.cluster.watches].filter(({ waiting }) => waiting.length > 0);
    const index = chance.integer(calls.length + watches.length);
    const call = calls[index];
    if (calls.length + watches.length === 0 || chance.happens(0.08)) {
      clock.fireNext();
    } else if (call === undefined) {
      watches[index - calls.length]?.tell(1 + chance.integer(3));
    } else if (chance.happens(death)) {
      this.#restart(() => {});
    } else if (chance.happens(loss)) {
      stage.say(`lost: ${call.isServed ? "the answer to " : ""}${call.what}`);
      wire.lose(call);
    } else if (!call.isServed && refusal > 0 && chance.happens(refusal)) {
      const status = chance.pick(REFUSALS) ?? 503;
      const mishap = { status, isDone: status !== 429 && chance.happens(0.5) };
      stage.say(`answered ${String(status)}${mishap.isDone ? ", though it was done" : ""}: ${call.what}`);
      wire.advance(call, mishap);
    } else {
      const isRequest = !call.isServed;
      stage.advance(call);
      if (isRequest && chance.happens(0.5)) wire.advance(call);
    }
    await stage.turn();
  }

  #restart(meanwhile: () => void): void {
    this.#stage.restart(meanwhile, () => this.#chance.happens(0.5));
  }

  async #rest(ms: number): Promise<void> {
    if (this.#isWell) await this.#stage.rest(ms);
  }

  /** Everything is as declared, or says truthfully why not. */
  #checkAll(): void {
    for (const resource of this.#people.resources()) {
      const { wrong, reason } = findWrong(resource, this.#stage);
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
      if (wrong !== undefined) this.#stage.violate(`${resource.key} ${resource.uid} is stuck or lies: ${wrong}`);
    }
  }

  /** An edit of what has come to rest is seen at once, and not only when its interval is over. */
  async #editAll(): Promise<void> {
    const stage = this.#stage;
    stage.books.tick();
    stage.say("everybody: edit everything that is ready");
    const edited = this.#people.editAllReady().map(({ uid }) => uid);
    await this.#rest(NOTICE_MS);
    for (const resource of this.#people.resources()) {
      if (!edited.includes(resource.uid)) continue;
      const { wrong } = findWrong(resource, stage);
      if (wrong !== undefined) stage.violate(`${resource.key} ${resource.uid} does not follow an edit: ${wrong}`);
    }
  }

  /** All resources are deleted, whatever they say; each must go, and no user may be left behind unsaid. */
  async #endAll(): Promise<void> {
    const stage = this.#stage;
    stage.books.tick();
    stage.say("everybody: delete everything");
    if (stage.ownDomain !== GLOBEX) {
      this.#restart(() => {
        stage.ownDomain = GLOBEX;
      });
    }
    this.#people.clearUp();
    await this.#rest(REST_MS);
    for (let round = 0; round < CONFIRMATIONS && this.#people.confirm(); round++) await this.#rest(REST_MS);
    for (const { key, uid, object } of this.#people.resources()) {
      stage.violate(`${key} ${uid} can't be deleted: ${JSON.stringify(object["status"])}`);
    }
    for (const user of stage.books.orphans()) stage.violate(`${user} is left behind, and nobody said so`);
  }
}
