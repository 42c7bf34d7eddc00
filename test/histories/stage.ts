/**
 * A cluster, two tenants, the operator in one life after another, and the oracle that watches: what a history and a scenario
 * have in common. Nothing happens here by itself: whoever holds the stage says what arrives when.
 */
import { GROUP } from "../../src/api/auth0-user.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { seededRandom } from "../../src/runtime/random.ts";
import { parseObjectIdentity } from "../../src/kubernetes/object.ts";
import { USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import { Books } from "./books.ts";
import { annotationsOf, Cluster, metadataOf, type Write } from "./cluster.ts";
import { Life } from "./life.ts";
import { ACME, DEFINITIONS, GLOBEX, NAMESPACES } from "./names.ts";
import { Oracle } from "./oracle.ts";
import { readyOf } from "./reading.ts";
import { TenantSide, type Served } from "./tenant-side.ts";
import { Time } from "./time.ts";
import type { Call } from "./wire.ts";

/** Calls and events while things come to rest; more means that something goes round in circles. */
const MAX_REST_TURNS = 20_000;

/** Work that gives way to others goes on in a later turn: so many without any news are rest. */
const IDLE_TURNS = 3;

export class Stage {
  readonly time = new Time();
  readonly books: Books;
  readonly cluster: Cluster;
  readonly violations: string[] = [];
  /** Everything that happened, a line each. */
  readonly trace: string[] = [];
  /** `AUTH0_DOMAIN` of the next life. */
  ownDomain = GLOBEX;
  /** The domain of the tenant object. */
  tenantDomain = ACME;
  /** `--watch-secrets` of the next life: namespaces. */
  watchSecrets: readonly string[] = [];
  /** While nothing fails, watches lag all the same. */
  areWatchesSilent = false;
  life: Life;
  readonly #seed: number;
  readonly #sides: ReadonlyMap<string, TenantSide>;
  readonly #maxDeletesPerHour: number | undefined;
  #lives = 0;

  /** @param maxDeletesPerHour of the process's own tenant, and as the oracle holds each to it */
  constructor(seed: number, maxDeletesPerHour?: number) {
    this.#seed = seed;
    this.#maxDeletesPerHour = maxDeletesPerHour;
    const { time } = this;
    const random = seededRandom(seed);
    this.books = new Books({
      domainOf: (spec) => this.domainOf(spec),
      find: (user) => {
        const [domain = "", id = ""] = user.split(" ");
        return this.sideOf(domain).find(id);
      },
      maxDeletesPerHour,
    });
    const oracle = new Oracle(this.books, (what) => {
      this.violate(what);
    });
    this.cluster = new Cluster({
      time,
      random,
      onWrite: (write) => {
        this.say(sayWrite(write));
        oracle.noteWrite(write);
      },
    });
    const onServed = (served: Served): void => {
      oracle.noteServed(served, time.nowMs);
    };
    this.#sides = new Map([ACME, GLOBEX].map((domain) => [domain, new TenantSide(domain, { time, random, onServed })]));
    for (const name of NAMESPACES) this.cluster.create("/api/v1/namespaces", { metadata: { name } }, "person");
    this.cluster.create(DEFINITIONS, { metadata: { name: `auth0users.${GROUP}` } }, "person");
    this.life = this.#start();
  }

  sideOf(domain: string): TenantSide {
    const side = this.#sides.get(domain);
    if (side === undefined) throw new Error(`there is no tenant ${domain}`);
    return side;
  }

  /** The tenant of a resource with such a spec. */
  domainOf({ tenantRef }: JsonObject): string {
    return tenantRef === undefined ? this.ownDomain : this.tenantDomain;
  }

  get sides(): readonly TenantSide[] {
    return [...this.#sides.values()];
  }

  /** The call moves on by one leg. */
  advance(call: Call): void {
    this.say(`${call.isServed ? "answer" : "arrives"}: ${call.what}`);
    this.life.wire.advance(call);
  }

  /** Lets every promise that can settle do so. A process that ended is started again, as the cluster does. */
  async turn(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (this.life.hasEnded) this.restart();
  }

  /**
   * Nothing fails for so long: all that is under way arrives, in order.
   * @param holds what does not, though it is sent
   */
  async rest(ms: number, holds: (call: Call) => boolean = () => false): Promise<void> {
    const untilMs = this.time.nowMs + ms;
    this.say(`rest for ${String(ms)} ms`);
    let idleTurns = 0;
    for (let turns = 0; ; turns++) {
      if (turns === MAX_REST_TURNS) {
        this.violate("nothing comes to rest");
        return;
      }
      const { wire, clock } = this.life;
      let isBusy = false;
      for (const watch of this.cluster.watches) {
        if (watch.waiting.length === 0 || this.areWatchesSilent) continue;
        isBusy = true;
        watch.tell(watch.waiting.length);
      }
      for (const call of wire.calls) {
        if (holds(call)) continue;
        isBusy = true;
        if (!call.isServed) this.advance(call);
        wire.advance(call);
      }
      idleTurns = isBusy ? 0 : idleTurns + 1;
      if (idleTurns >= IDLE_TURNS) {
        const dueMs = clock.nextDueMs;
        if (dueMs === undefined || dueMs > untilMs) break;
        clock.fireNext();
        idleTurns = 0;
      }
      await this.turn();
    }
    this.time.nowMs = Math.max(this.time.nowMs, untilMs);
    this.books.noteQuiet();
  }

  /**
   * Ends the operator as by kill -9, and starts it anew.
   * @param arrives which of the calls that it had sent still arrive
   */
  restart(meanwhile: () => void = () => {}, arrives: (call: Call) => boolean = () => false): void {
    this.say(`the operator dies, with ${String(this.life.wire.size)} calls under way`);
    this.life.kill((call) => {
      const isArriving = arrives(call);
      if (isArriving) this.say(`arrives: ${call.what}`);
      return isArriving;
    });
    meanwhile();
    this.life = this.#start();
  }

  say(line: string): void {
    this.trace.push(`${((this.time.nowMs - Date.UTC(2026, 0, 1)) / 1000).toFixed(1)}s ${line}`);
  }

  violate(what: string): void {
    this.say(`WRONG: ${what}`);
    this.violations.push(what);
  }

  #start(): Life {
    const life: Life = new Life({
      time: this.time,
      random: seededRandom(this.#seed + ++this.#lives),
      cluster: this.cluster,
      sideOf: (domain) => this.sideOf(domain),
      ownDomain: this.ownDomain,
      watchSecrets: this.watchSecrets,
      maxDeletesPerHour: this.#maxDeletesPerHour,
      stepNow: () => this.books.step,
      onAnswered: (path) => {
        const object = this.cluster.find(path.replace(/\/status$/, ""));
        if (object !== undefined && path.includes("/auth0users/")) this.books.noteKnown(object);
      },
      onBug: (what) => {
        if (life === this.life) this.violate(what);
      },
    });
    return life;
  }
}

/** `operator wrote a/u1 uid Ready=False DuplicateClaim: …`, with what it claims and whether it is being deleted. */
function sayWrite({ actor, before, after }: Write): string {
  const object = after ?? before ?? {};
  const { deletionTimestamp } = metadataOf(object);
  const { key, uid } = parseObjectIdentity(object);
  const { reason, message } = readyOf(object);
  const claim = annotationsOf(object)[USER_ID_ANNOTATION] ?? "no claim";
  const doing = before === undefined ? "made" : after === undefined ? "removed" : "wrote";
  const ending = deletionTimestamp === undefined ? "" : " (deleted)";
  return `${actor} ${doing} ${key} ${uid}${ending}: ${claim}; ${reason} ${message}`;
}
