/** One recorded call, as a line of a recording holds it. */
import { isJsonObject } from "../../src/runtime/json.ts";

export interface Interaction {
  /** Its place in the session that was recorded. Numbers are missing where calls were left out. */
  readonly seq: number;
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** null: none. */
  readonly requestBody: unknown;
  readonly status: number;
  /** null: none. */
  readonly responseBody: unknown;
}

/** @throws Error naming the line that is no recorded call */
export function parseRecording(text: string): readonly Interaction[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, index) => {
    const value: unknown = JSON.parse(line);
    if (!isInteraction(value)) throw new Error(`line ${String(index + 1)} is no recorded call`);
    return value;
  });
}

function isInteraction(value: unknown): value is Interaction {
  return (
    isJsonObject(value) &&
    typeof value["seq"] === "number" &&
    typeof value["method"] === "string" &&
    typeof value["path"] === "string" &&
    isJsonObject(value["query"]) &&
    typeof value["status"] === "number"
  );
}
