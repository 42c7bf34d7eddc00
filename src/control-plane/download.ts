/** Fetching a pinned file: gives up in seconds on a network that leads nowhere, and never keeps what it can't vouch for. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { Deadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { failureText } from "./failure-text.ts";
import { httpGet } from "./http-get.ts";
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
/** GitHub redirects a release once. */
const MAX_REDIRECTS = 5;
/** Between two chunks of the body. */
const CHUNK_WITHIN_MS = 10_000;
const TICK_EVERY_MS = 500;

/** @throws with a sentence that names the host or the file and what went wrong */
export async function download(options: DownloadOptions, signal: AbortSignal): Promise<void> {
  const { file, clock } = options;
  const deadline = new Deadline(signal, ANSWER_WITHIN_MS, clock);
  try {
    await receive(options, await request(options, deadline), deadline);
  } catch (error) {
    await rm(file, { force: true });
    signal.throwIfAborted();
    throw error;
  } finally {
    deadline.clear();
  }
}

/** The answer that the redirects lead to; a success of which only the head has been read. */
async function request({ url, env, clock }: DownloadOptions, { signal }: Deadline): Promise<IncomingMessage> {
  const startedMs = clock.monotonicMs();
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const Agent = at.protocol === "https:" ? https.Agent : http.Agent;
    const answer = await httpGet(at, { agent: new Agent({ proxyEnv: { ...env } }), signal }).catch((error: unknown) => {
      const after = durationText(clock.monotonicMs() - startedMs);
      const reason = signal.aborted ? "no answer" : failureText(error);
      throw new Error(`${path.basename(url)}: ${at.host} can't be reached (${reason} after ${after})`, {
        cause: error,
      });
    });
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 200 && statusCode <= 299) return answer;
    answer.destroy();
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined || redirects === MAX_REDIRECTS) {
      throw new Error(`${url} answers ${String(statusCode)}`);
    }
    at = new URL(headers.location, at);
  }
}

async function receive(options: DownloadOptions, answer: IncomingMessage, deadline: Deadline): Promise<void> {
  const { url, digest, file, progress, clock } = options;
  /** 0 if the server does not say. */
  const totalBytes = Number(answer.headers["content-length"] ?? 0);
  const { host } = new URL(url);
  const name = path.basename(url);
  progress.step(`downloading ${name}${totalBytes > 0 ? ` (${megabytes(totalBytes)})` : ""} from ${host}`);
  const hash = createHash(digest.algorithm);
  let receivedBytes = 0;
  let tickedMs = clock.monotonicMs();
  deadline.renew(CHUNK_WITHIN_MS);
  async function* watched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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
  await pipeline(answer, watched, createWriteStream(file), { signal: deadline.signal }).catch((error: unknown) => {
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
