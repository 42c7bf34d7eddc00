/** Fetching a pinned file: gives up in seconds on a network that leads nowhere, and never keeps what it can't vouch for. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { EnvHttpProxyAgent, fetch } from "undici";
import { Deadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { failureText } from "./failure-text.ts";
import { durationText, type Progress } from "./progress.ts";
import type { Environment } from "./run-command.ts";
import type { Digest } from "./sources.ts";

export interface DownloadOptions {
  readonly url: string;
  readonly digest: Digest;
  /** Where it is written; gone again if anything fails. */
  readonly file: string;
  /** Names the proxy, if the machine needs one (`HTTPS_PROXY`, `NO_PROXY`). */
  readonly env: Environment;
  readonly progress: Progress;
  readonly clock: Clock;
}

/** For everything before the first byte: name look-up, connections, redirects. Half a second is usual. */
const ANSWER_WITHIN_MS = 5_000;
/** Between two chunks of the body. */
const CHUNK_WITHIN_MS = 10_000;
const TICK_EVERY_MS = 500;

/** @throws with a sentence that names the host or the file and what went wrong */
export async function download(options: DownloadOptions, signal: AbortSignal): Promise<void> {
  const { env, file, clock } = options;
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: env["http_proxy"] ?? env["HTTP_PROXY"] ?? "",
    httpsProxy: env["https_proxy"] ?? env["HTTPS_PROXY"] ?? "",
    noProxy: env["no_proxy"] ?? env["NO_PROXY"] ?? "",
    // Aborting a request does not end its attempt to connect.
    connect: { timeout: ANSWER_WITHIN_MS },
  });
  const deadline = new Deadline(signal, ANSWER_WITHIN_MS, clock);
  try {
    await receive(options, await request(options, dispatcher, deadline), deadline);
  } catch (error) {
    await rm(file, { force: true });
    signal.throwIfAborted();
    throw error;
  } finally {
    deadline.clear();
    await dispatcher.destroy();
  }
}

interface Body {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** 0 if the server does not say. */
  readonly totalBytes: number;
}

async function request(
  { url, clock }: DownloadOptions,
  dispatcher: EnvHttpProxyAgent,
  { signal }: Deadline,
): Promise<Body> {
  const startedMs = clock.monotonicMs();
  const response = await fetch(url, { dispatcher, signal }).catch((error: unknown) => {
    const after = durationText(clock.monotonicMs() - startedMs);
    const reason = signal.aborted ? "no answer" : failureText(error);
    throw new Error(`${path.basename(url)}: ${new URL(url).host} can't be reached (${reason} after ${after})`, {
      cause: error,
    });
  });
  if (!response.ok || response.body === null) throw new Error(`${url} answers ${String(response.status)}`);
  return { chunks: response.body, totalBytes: Number(response.headers.get("content-length") ?? 0) };
}

async function receive(options: DownloadOptions, { chunks, totalBytes }: Body, deadline: Deadline): Promise<void> {
  const { url, digest, file, progress, clock } = options;
  const { host } = new URL(url);
  const name = path.basename(url);
  progress.step(`downloading ${name}${totalBytes > 0 ? ` (${megabytes(totalBytes)})` : ""} from ${host}`);
  const hash = createHash(digest.algorithm);
  let receivedBytes = 0;
  let tickedMs = clock.monotonicMs();
  deadline.renew(CHUNK_WITHIN_MS);
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      deadline.renew(CHUNK_WITHIN_MS);
      hash.update(chunk);
      receivedBytes += chunk.length;
      if (clock.monotonicMs() - tickedMs >= TICK_EVERY_MS) {
        tickedMs = clock.monotonicMs();
        progress.tick(`${name}: ${megabytes(receivedBytes)} of ${totalBytes > 0 ? megabytes(totalBytes) : "?"}`);
      }
      yield chunk;
    }
  }
  await pipeline(watched, createWriteStream(file), { signal: deadline.signal }).catch((error: unknown) => {
    const reason = deadline.signal.aborted ? `silent for ${durationText(CHUNK_WITHIN_MS)}` : failureText(error);
    throw new Error(`${host} broke off ${name} after ${megabytes(receivedBytes)} (${reason})`, { cause: error });
  });
  const actual = hash.digest("hex");
  if (actual === digest.hex) return;
  throw new Error(`${url} is not the published file: expected ${digest.algorithm} ${digest.hex}, got ${actual}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
