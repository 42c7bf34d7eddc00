/** Who holds an address or username that Auth0 calls taken. */
import type { DesiredUser } from "../core/desired-user.ts";
import type { ConnectionName } from "../core/ids.ts";
import { ownConnection, type ObservedUser } from "../core/observed-user.ts";
import type { Creating } from "../core/ownership.ts";
import type { Marker } from "./marker.ts";
import { canChooseId, type UserDirectory } from "./ports.ts";

export interface Holders {
  /** The one that bears this resource's own marker. */
  readonly marked: ObservedUser | undefined;
  readonly others: readonly ObservedUser[];
}

/** What identifies a user whose id Auth0 chooses. */
export function identifierOf({ attributes: { email, phoneNumber }, connection }: DesiredUser): string {
  return String(connection === "sms" ? phoneNumber : email);
}

/**
 * The user of a creation whose answer was lost, if it came to be: by its id, else by what it was begun with, since the spec
 * may name another address by now. Where Auth0 chooses ids, only the marker proves whose it is.
 */
export async function findCreated(
  { userId, begunWith }: Creating,
  connection: ConnectionName,
  marker: Marker,
  directory: UserDirectory,
  signal: AbortSignal,
): Promise<ObservedUser | undefined> {
  if (userId !== undefined) {
    const user = await directory.findUser(userId, signal);
    return user !== undefined && (canChooseId(connection) || marker.isOn(user)) ? user : undefined;
  }
  if (begunWith === undefined) return undefined;
  const attributes = connection === "sms" ? { phoneNumber: begunWith } : { email: begunWith };
  const { marked } = await findHolders({ attributes, connection }, marker, directory, signal);
  return marked;
}

/**
 * Looks the address up first (strongly consistent; lower-cased, as Auth0's own store keeps it), then the username (by
 * search) or the number. Only users whose first identity is in the declared connection count: one that was merely linked is somebody
 * else's.
 */
export async function findHolders(
  { attributes: { email, username, phoneNumber }, connection }: Pick<DesiredUser, "attributes" | "connection">,
  marker: Marker,
  directory: UserDirectory,
  signal: AbortSignal,
): Promise<Holders> {
  const asStored = (text: string): string => (canChooseId(connection) ? text.toLowerCase() : text);
  const holders: ObservedUser[] = [];
  const keep = (found: readonly ObservedUser[]): void => {
    holders.push(...found.filter((user) => ownConnection(user) === connection));
  };
  if (typeof email === "string") keep(await directory.findUsersByEmail(asStored(email), signal));
  if (holders.length === 0 && typeof username === "string") {
    keep(await directory.searchUsersByUsername(asStored(username), signal));
  }
  if (holders.length === 0 && typeof phoneNumber === "string") {
    keep(await directory.searchUsersByPhoneNumber(phoneNumber, signal));
  }
  const marked = holders.find((user) => marker.isOn(user));
  return { marked, others: holders.filter((user) => user !== marked) };
}
