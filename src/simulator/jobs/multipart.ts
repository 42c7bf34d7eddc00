/** The parts of a `multipart/form-data` body (RFC 7578), as bulk imports send it. */
import { findHeader, type SimulatorRequest } from "../http.ts";
import { badRequest } from "../refusal.ts";

/** A bound that no client comes near. */
const MAX_PARTS = 100;

/** By name, the last of each. @throws Refusal 400 */
export function parseMultipart(request: SimulatorRequest): ReadonlyMap<string, string> {
  const type = findHeader(request, "content-type") ?? "";
  const [, quoted, plain] = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed();
  const [, ...sections] = `\r\n${request.body.toString()}`.split(`\r\n--${boundary}`, MAX_PARTS);
  const end = sections.findIndex((section) => section.startsWith("--"));
  if (end < 0) throw malformed();
  return new Map(sections.slice(0, end).map(parsePart));
}

function parsePart(section: string): readonly [string, string] {
  const at = section.indexOf("\r\n\r\n");
  const [, name] = /^content-disposition:.*?[;\s]name="([^"]*)"/im.exec(section.slice(0, at)) ?? [];
  if (at < 0 || name === undefined) throw malformed();
  return [name, section.slice(at + 4)];
}

function malformed(): Error {
  return badRequest("Payload validation error: 'Invalid multipart payload format'.", "invalid_body");
}
