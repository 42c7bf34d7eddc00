/** What a new tenant has where nobody describes its connections. */
import type { JsonObject } from "../../runtime/json.ts";
import type { ConnectionOptions } from "./connections.ts";

const PASSWORDLESS: readonly ConnectionOptions[] = [
  { name: "email", strategy: "email", options: { brute_force_protection: true } },
  { name: "sms", strategy: "sms", options: { brute_force_protection: true } },
];

/** A database where usernames are optional and weak passwords pass, and both passwordless kinds. */
const DEFAULT_CONNECTIONS: readonly ConnectionOptions[] = [
  {
    name: "Username-Password-Authentication",
    options: {
      mfa: { active: true, return_enroll_settings: true },
      attributes: {
        email: { identifier: { active: true }, profile_required: true, unique: true },
        username: {
          identifier: { active: true },
          profile_required: false,
          validation: { min_length: 1, max_length: 128 },
        },
      },
      passwordPolicy: "low",
      strategy_version: 2,
      brute_force_protection: true,
    },
  },
  ...PASSWORDLESS,
];

/** The options of a stricter database, as recorded for a real tenant: username required, at most 15, policy good. */
export const STRICT_DATABASE_OPTIONS: JsonObject = {
  mfa: { active: true, return_enroll_settings: true },
  validation: { username: { min: 1, max: 15 } },
  import_mode: false,
  passwordPolicy: "good",
  password_history: { size: 5, enable: false },
  strategy_version: 2,
  requires_username: true,
  password_dictionary: { enable: false, dictionary: [] },
  brute_force_protection: true,
  password_no_personal_info: { enable: false },
  password_complexity_options: { min_length: 8 },
  enabledDatabaseCustomization: false,
};

export const CONNECTION_PRESETS = {
  default: DEFAULT_CONNECTIONS,
  strict: [{ name: "Username-Password-Authentication", options: STRICT_DATABASE_OPTIONS }, ...PASSWORDLESS],
} as const satisfies Readonly<Record<string, readonly ConnectionOptions[]>>;

export type ConnectionPreset = keyof typeof CONNECTION_PRESETS;
