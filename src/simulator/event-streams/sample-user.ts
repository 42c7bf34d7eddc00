/** The user that test events are about, whatever their type: attribute for attribute as recorded. */
import type { JsonObject } from "../../runtime/json.ts";

const PROFILE: JsonObject = {
  email: "john.doe@gmail.com",
  email_verified: false,
  name: "John Doe",
  username: "johndoe",
  given_name: "John",
  family_name: "Doe",
  phone_number: "+15555555555",
  phone_verified: false,
};

const IDENTITY: JsonObject = {
  provider: "auth0",
  connection: "Username-Password-Authentication",
  user_id: "507f1f77bcf86cd799439020",
};

/** As reads of a delivery show it (recorded). */
export const KEPT_SAMPLE_USER: JsonObject = {
  user_id: "auth0|507f1f77bcf86cd799439020",
  ...PROFILE,
  created_at: "2025-02-01T12:34:56Z",
  updated_at: "2025-02-01T12:34:56Z",
  identities: [IDENTITY],
  app_metadata: { plan: "pro" },
  user_metadata: { hobby: "skydiving" },
  picture:
    "https://secure.gravatar.com/avatar/15626c5e0c749cb912f9d1ad48dba440?s=480&r=pg&d=https%3A%2F%2Fssl.gstatic.com%2Fs2%2Fprofiles%2Fimages%2Fsilhouette80.png",
  nickname: "John Doe",
  last_ip: "203.0.113.1",
  last_login: "2025-02-01T12:34:56Z",
  logins_count: 42,
  blocked: false,
};

/** As the answer to a test shows it (recorded). */
export const SAMPLE_USER: JsonObject = {
  ...KEPT_SAMPLE_USER,
  identities: [{ ...IDENTITY, isSocial: false, profileData: PROFILE }],
  multifactor: ["sample"],
};
