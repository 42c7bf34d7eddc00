/** Linking and unlinking: `POST` and `DELETE` under `/api/v2/users/{id}/identities`. */
import type { JsonObject } from "../../runtime/json.ts";
import type { ApiCall } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { badRequest, conflict, inexistentUser, refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { withDerived } from "./attributes.ts";
import { DERIVED } from "./defaults.ts";
import { checkUserId } from "./user-id.ts";
import { changedAtMs, identityKey, type Identity, type User } from "./user.ts";

const LINK_SCHEMA: Schema = {
  additional: { hint: "" },
  properties: {
    provider: { type: "string", description: "Identity provider of the secondary user account being linked." },
    connection_id: {
      type: "string",
      pattern: /^con_[A-Za-z0-9]{16}$/,
      description:
        "connection_id of the secondary user account being linked when more than one `auth0` database provider exists.",
    },
    user_id: { type: "string", minLength: 1, description: "user_id of the secondary user account being linked." },
    link_with: { type: "string", description: "JWT for the secondary account being linked." },
  },
};

/** The secondary user ceases to be one; its metadata are lost, its profile stays in the identity (recorded, documented). */
export function linkIdentity({ tenant, request, params }: ApiCall): Answer {
  const userId = checkUserId(params["id"]);
  const body = withTextId(parseBody(request));
  checkBody(body, LINK_SCHEMA);
  const primary = tenant.users.find(userId);
  if (!primary) throw inexistentUser();
  const secondary = secondaryUser(tenant, primary, body);
  tenant.users.delete(secondary.userId);
  const linked = {
    ...primary,
    identities: joined(primary, secondary),
    updatedAtMs: changedAtMs(primary, tenant.now()),
  };
  tenant.users.put(linked);
  return { status: 201, body: linked.identities };
}

/** Ids of some providers are numbers. */
function withTextId(body: JsonObject): JsonObject {
  return typeof body["user_id"] === "number" ? { ...body, user_id: String(body["user_id"]) } : body;
}

/** Texts of the OpenAPI document; which of them Auth0 gives when is modelled. */
function secondaryUser(tenant: Tenant, primary: User, body: JsonObject): User {
  if (body["link_with"] !== undefined) throw badRequest("Invalid token (link_with).", "invalid_body");
  const provider = textIn(body, "provider") ?? "";
  const sent = textIn(body, "user_id") ?? "";
  const key = sent.startsWith(`${provider}|`) ? sent : identityKey({ provider, user_id: sent });
  const holder = tenant.users.findByIdentity(key);
  if (!holder) throw badRequest("Linking to an inexistent identity is not allowed.", "inexistent_user");
  if (key === primary.userId) throw badRequest("Main identity and the new one are the same.", "invalid_body");
  if (holder.userId !== key) throw conflict("Specified identity already exists.", "identity_conflict");
  const connectionId = textIn(body, "connection_id");
  const connection = connectionId === undefined ? undefined : tenant.connections.findById(connectionId);
  if (connectionId !== undefined && connection?.name !== holder.identities[0].connection) {
    throw badRequest("The provider/connection is not configured.", "invalid_body");
  }
  return holder;
}

function joined(primary: User, secondary: User): User["identities"] {
  const [first, ...others] = primary.identities;
  return [
    withProfile(first, primary),
    ...others,
    withProfile(secondary.identities[0], secondary),
    ...secondary.identities.slice(1),
  ];
}

/** What the identity's own store says of it: what was sent, without what Auth0 derived (inferred from the recordings). */
function withProfile(identity: Identity, { attributes }: User): Identity {
  const own = PROFILE.filter(
    (name) => attributes[name] !== undefined && DERIVED.get(name)?.(attributes) !== attributes[name],
  );
  return { ...identity, profileData: Object.fromEntries(own.map((name) => [name, attributes[name]])) };
}

const PROFILE = [
  "email",
  "email_verified",
  "name",
  "username",
  "given_name",
  "phone_number",
  "phone_verified",
  "family_name",
  "nickname",
  "picture",
];

/** The identity becomes a user of its own again, without metadata (documented). */
export function unlinkIdentity({ tenant, params }: ApiCall): Answer {
  const user = tenant.users.find(checkUserId(params["id"]));
  if (!user) throw inexistentUser();
  const key = identityKey({ provider: params["provider"] ?? "", user_id: params["user_id"] ?? "" });
  const [first, ...others] = user.identities;
  if (key === identityKey(first)) throw badRequest("Main identity cannot be removed.", "invalid_uri");
  const unlinked = others.find((identity) => identityKey(identity) === key);
  if (!unlinked) throw refusal(404, "The identity does not exist.", "inexistent_identity");
  const now = tenant.now();
  const remaining: User["identities"] = [first, ...others.filter((identity) => identity !== unlinked)];
  tenant.users.put({ ...user, identities: remaining, updatedAtMs: changedAtMs(user, now) });
  const { profileData = {}, ...identity } = unlinked;
  tenant.users.put({
    userId: key,
    createdAtMs: now,
    updatedAtMs: now,
    identities: [identity],
    attributes: withDerived(profileData),
  });
  return { status: 200, body: remaining };
}
