/**
 * The simulator alone: how many calls a second it answers with many users in memory, what a call costs its processor, and
 * how much memory it takes. The driver is a bare socket client, so that the simulator and not the client is measured.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { madeUpUsers } from "../src/simulator/users/made-up-users.ts";
import { aligned } from "./report.ts";

export interface SimulatorOptions {
  /** In memory from the start. */
  readonly users: number;
  readonly calls: number;
  /** Connections, each with one call on its way. */
  readonly connections: number;
  readonly nodeFlags: readonly string[];
}

export interface SimulatorRow {
  readonly what: string;
  readonly perSecond: number;
  /** Of the simulator's processor: what one core can do. */
  readonly perCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
}

/** Ids in one search: as many as the operator's scans ask for. */
const SEARCHED_IDS = 100;

const SEED = 1;

export async function measureSimulator(options: SimulatorOptions): Promise<readonly SimulatorRow[]> {
  const args = [
    "dist/main.js",
    "simulate",
    "--port=0",
    `--users=${String(options.users)}`,
    `--seed=${String(SEED)}`,
    "--log-level=warn",
  ];
  const child = spawn(process.execPath, [...options.nodeFlags, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [printed] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const url = new URL(printed.split("\n")[0] ?? "");
    return await measure(url, child.pid ?? 0, options);
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

/** For people. */
export function simulatorTable(rows: readonly SimulatorRow[]): string {
  return aligned([
    ["call", "calls/s", "calls/CPU s", "p50 ms", "p99 ms", "RSS MB"],
    ...rows.map((row) => [
      row.what,
      row.perSecond.toFixed(0),
      row.perCpuSecond.toFixed(0),
      row.p50Ms.toFixed(1),
      row.p99Ms.toFixed(1),
      row.rssMb.toFixed(0),
    ]),
  ]);
}

async function measure(url: URL, pid: number, options: SimulatorOptions): Promise<readonly SimulatorRow[]> {
  const authorization = `Bearer ${await tokenFor(url)}`;
  // Not asked for: a list of all users is 60 MB, and would be measured as the simulator's memory.
  const ids = Array.from(
    madeUpUsers({ count: options.users, seed: SEED, now: 0 }),
    ({ user_id: id }) => `auth0|${String(id)}`,
  );
  const anId = (): string => ids[Math.floor(Math.random() * ids.length)] ?? "";
  const head = `Host: ${url.host}\r\nAuthorization: ${authorization}\r\n`;
  const get = (path: string): string => `GET /api/v2/${path} HTTP/1.1\r\n${head}\r\n`;
  const post = (path: string, body: string): string =>
    `POST /api/v2/${path} HTTP/1.1\r\n${head}Content-Type: application/json\r\n` +
    `Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  const search = (): string => {
    const wanted = Array.from({ length: SEARCHED_IDS }, () => `"${anId()}"`).join(" OR ");
    return get(`users?per_page=100&primary_order=false&q=${encodeURIComponent(`user_id:(${wanted})`)}`);
  };
  let made = 0;
  const aUser = (): string =>
    JSON.stringify({
      connection: "Username-Password-Authentication",
      email: `bench-${String(++made)}@example.com`,
      password: "correct horse battery staple",
      email_verified: true,
      app_metadata: { plan: "pro" },
    });
  const run = (what: string, calls: number, connections: number, next: () => string): Promise<SimulatorRow> =>
    load({ what, url, pid, calls, connections, next });

  await run("warming up", options.calls, options.connections, () => get(`users/${encodeURIComponent(anId())}`));
  return [
    await run("GET /users/{id}", options.calls, options.connections, () => get(`users/${encodeURIComponent(anId())}`)),
    await run(`search for ${String(SEARCHED_IDS)} ids`, options.calls / 100, 1, search),
    await run("POST /users", options.calls, options.connections, () => post("users", aUser())),
  ];
}

async function tokenFor(url: URL): Promise<string> {
  const response = await fetch(new URL("/oauth/token", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: "simulator-client",
      client_secret: "simulator-secret",
      audience: `https://${url.host}/api/v2/`,
    }),
  });
  return ((await response.json()) as { readonly access_token: string }).access_token;
}

interface Load {
  readonly what: string;
  readonly url: URL;
  readonly pid: number;
  readonly calls: number;
  readonly connections: number;
  readonly next: () => string;
}

async function load({ what, url, pid, calls, connections, next }: Load): Promise<SimulatorRow> {
  const lanes = await Promise.all(Array.from({ length: connections }, () => Lane.open(url)));
  const timesMs: number[] = [];
  let left = calls;
  const [cpuBefore, startedMs] = [cpuSeconds(pid), performance.now()];
  await Promise.all(
    lanes.map(async (lane) => {
      while (left-- > 0) {
        const sentMs = performance.now();
        const status = await lane.ask(next());
        if (status >= 300) throw new Error(`${what}: ${String(status)}`);
        timesMs.push(performance.now() - sentMs);
      }
      lane.close();
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const sorted = timesMs.toSorted((a, b) => a - b);
  return {
    what,
    perSecond: calls / seconds,
    perCpuSecond: calls / (cpuSeconds(pid) - cpuBefore),
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    rssMb: rssMb(pid),
  };
}

/** One connection, one call at a time. */
class Lane {
  readonly #socket: Socket;
  #received = "";
  #answered: ((status: number) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.#received += text;
      this.#check();
    });
  }

  static async open(url: URL): Promise<Lane> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await once(socket, "connect");
    return new Lane(socket);
  }

  ask(request: string): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #check(): void {
    const end = this.#received.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? NaN);
    if (end < 0 || this.#received.length < end + 4 + length) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = "";
    this.#answered?.(status);
  }
}

/** Ticks of user and system time are the 14th and 15th field, a hundred of them a second. */
function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .split(") ")[1]
      ?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rssMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
