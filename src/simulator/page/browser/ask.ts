/** Requests to the simulator's own endpoints, and the notice when one fails. */
import { find } from "./elements.ts";

/** A request that was answered with a refusal, in the simulator's words. */
export class Refused extends Error {
  override readonly name = "Refused";
}

export interface Answer<T> {
  readonly body: T;
  /** How many there are beyond those in a list. */
  readonly total: number;
}

const notice = find("#notice", HTMLElement);
let isLost = false;

/** Said until the next request that changes something succeeds. */
export function giveNotice(text: string): void {
  notice.textContent = text;
  notice.hidden = false;
}

export function endNotice(): void {
  notice.hidden = true;
}

/**
 * @param path under `/_simulator/`
 * @param body sent as JSON
 * @throws Refused, or the browser's error when the simulator is not there; either is shown
 */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const response = await send(method, path, body);
  const text = await response.text();
  if (!response.ok) {
    const { message }: { readonly message: string } = JSON.parse(text);
    giveNotice(message);
    throw new Refused(message);
  }
  if (isLost || method !== "GET") endNotice();
  isLost = false;
  return { body: JSON.parse(text === "" ? "null" : text), total: Number(response.headers.get("x-total-count")) };
}

async function send(method: string, path: string, body: unknown): Promise<Response> {
  const sent = body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    return await fetch(`/_simulator/${path}`, { method, ...sent });
  } catch (error) {
    isLost = true;
    giveNotice("The simulator does not answer. Is it still running?");
    throw error;
  }
}
