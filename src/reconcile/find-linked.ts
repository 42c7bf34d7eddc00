/** A user that can't be read by its id any more, though it is there: it was linked into another one. */
import type { UserId } from "../core/ids.ts";
import { hasIdentity } from "../core/observed-user.ts";
import { refused, type Refused } from "./outcome.ts";
import type { Pass } from "./pass.ts";

/** @throws DirectoryError, or `signal.reason` */
export async function findLinked(pass: Pass, id: UserId): Promise<Refused | undefined> {
  const hits = await pass.ports.directory.searchUsersByIdentity(id, pass.signal);
  const linkedTo = hits.find((user) => user.userId !== id && hasIdentity(user, id));
  return (
    linkedTo &&
    refused("UserLinked", `${id} was linked into ${linkedTo.userId}: it is neither created again nor deleted`)
  );
}
