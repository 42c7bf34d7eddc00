/** A user as an answer shows it. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Random } from "../../runtime/random.ts";
import type { Tenant } from "../tenant.ts";
import { wireUser, type User } from "./user.ts";

/** In the API's shape; its keys in the order that the switch asks for. */
export function shownUser({ switches, random }: Tenant, user: User): JsonObject {
  const wire = wireUser(user);
  return switches.keyOrder === "stable" ? wire : shuffled(wire, random);
}

function shuffled(object: JsonObject, random: Random): JsonObject {
  const drawn = Object.entries(object).map((entry) => ({ entry, place: random.next() }));
  return Object.fromEntries(drawn.toSorted((a, b) => a.place - b.place).map(({ entry }) => entry));
}
