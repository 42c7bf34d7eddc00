/** A user keeps the connection it was made in: what an id, a marker or a restored claim leads to must live in the declared one. */
import type { ConnectionName } from "../core/ids.ts";
import { ownConnection, type ObservedUser } from "../core/observed-user.ts";
import { refused, type Refused } from "./outcome.ts";

export function findOtherConnection(user: ObservedUser, declared: ConnectionName): Refused | undefined {
  const connection = ownConnection(user);
  if (connection === declared) return undefined;
  return refused(
    "UserConflict",
    `${user.userId} belongs to connection ${connection ?? "(none)"}, not to ${declared}: mend spec.connection`,
  );
}
