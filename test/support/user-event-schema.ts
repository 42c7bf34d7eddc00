/** What Auth0's event catalog (0.7.2) says of `user.created`, `user.updated` and `user.deleted`, for ajv. */
const text = { type: "string" };
const flag = { type: "boolean" };
const time = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$" };
const email = { type: "string", pattern: "^[^@]+@[^@]+$" };
const username = { type: "string", minLength: 1, maxLength: 128, pattern: "^[a-zA-Z0-9_+\\-.!#\\$\\^`~@']*$" };
const phone = { type: "string", pattern: "^\\+[0-9]{1,15}$" };
const upTo = (maxLength: number): object => ({ type: "string", minLength: 1, maxLength });

const profile = {
  email,
  email_verified: flag,
  username,
  phone_number: phone,
  phone_verified: flag,
  name: upTo(300),
  given_name: upTo(150),
  family_name: upTo(150),
};

const identity = {
  type: "object",
  additionalProperties: false,
  required: ["connection", "user_id", "provider", "isSocial"],
  properties: {
    connection: { type: "string", maxLength: 128, pattern: "^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$" },
    user_id: { type: ["string", "integer"] },
    provider: text,
    isSocial: flag,
    profileData: { type: "object", properties: profile },
  },
};

/** @param type of the event; a deletion says when */
export function userEventSchema(type: string): object {
  const deleted = type === "user.deleted";
  const user = {
    type: "object",
    required: ["user_id", "created_at", "updated_at", "identities", ...(deleted ? ["deleted_at"] : [])],
    properties: {
      ...profile,
      user_id: text,
      created_at: time,
      updated_at: time,
      identities: { type: "array", items: identity },
      app_metadata: { type: "object" },
      user_metadata: { type: "object" },
      picture: { type: "string", pattern: "^https://" },
      nickname: upTo(300),
      blocked: flag,
      deleted_at: time,
    },
  };
  return {
    type: "object",
    additionalProperties: false,
    required: ["specversion", "type", "source", "id", "time", "data", "a0tenant", "a0stream"],
    properties: {
      specversion: { const: "1.0" },
      type: { const: type },
      source: { type: "string", pattern: "^urn:auth0:." },
      id: { type: "string", pattern: "^evt_[a-zA-Z0-9]{22}$" },
      time,
      data: { type: "object", additionalProperties: false, required: ["object"], properties: { object: user } },
      a0tenant: { type: "string", minLength: 3, maxLength: 63, pattern: "^[a-z0-9][-a-z0-9]{1,62}[a-z0-9]$" },
      a0stream: { type: "string", pattern: "^est_[a-zA-Z0-9]{22}$" },
    },
  };
}
