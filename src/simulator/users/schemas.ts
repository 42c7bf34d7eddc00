/** The request schemas of users, from the OpenAPI document: order, limits and descriptions as there. */
import type { Property, Schema } from "../schema.ts";
import type { Switches } from "../switches.ts";

/** What follows a refusal of additional properties (reported). */
export const METADATA_HINT =
  " (consider storing them in app_metadata or user_metadata. " +
  'See "Users Metadata" in https://auth0.com/docs/api/v2/changes for more details)';

const EMAIL: Property = { type: "string", format: "email", description: "" };
const PHONE: Property = { type: "string", pattern: /^\+[0-9]{1,15}$/, description: "" };
const PERSON: Property = { type: "string", minLength: 1, maxLength: 150, description: "" };
const USERNAME: Property = {
  type: "string",
  minLength: 1,
  maxLength: 128,
  description: "The user's username. Only valid if the connection requires a username.",
};
const PHONE_DESCRIPTION = "The user's phone number (following the E.164 recommendation).";
const BLOCKED: Property = {
  type: "boolean",
  description: "Whether this user was blocked by an administrator (true) or not (false).",
};
const PHONE_VERIFIED: Property = {
  type: "boolean",
  description: "Whether this phone number has been verified (true) or not (false).",
};

export function createUserSchema({ nameMaxLength, nicknameMaxLength }: Switches): Schema {
  return {
    additional: { hint: METADATA_HINT },
    required: ["connection"],
    properties: {
      email: { ...EMAIL, description: "The user's email." },
      phone_number: { ...PHONE, description: PHONE_DESCRIPTION },
      user_metadata: {
        type: "object",
        description: "Data related to the user that does not affect the application's core functionality.",
      },
      blocked: BLOCKED,
      email_verified: {
        type: "boolean",
        description:
          "Whether this email address is verified (true) or unverified (false). User will receive a verification email " +
          "after creation if `email_verified` is false or not specified",
      },
      phone_verified: PHONE_VERIFIED,
      app_metadata: {
        type: "object",
        description: "Data related to the user that does affect the application's core functionality.",
      },
      given_name: { ...PERSON, description: "The user's given name(s)." },
      family_name: { ...PERSON, description: "The user's family name(s)." },
      name: { type: "string", minLength: 1, maxLength: nameMaxLength, description: "The user's full name." },
      nickname: { type: "string", minLength: 1, maxLength: nicknameMaxLength, description: "The user's nickname." },
      picture: { type: "string", format: "strict-uri", description: "A URI pointing to the user's picture." },
      user_id: {
        type: "string",
        maxLength: 255,
        pattern: /^\S*$/,
        description: "The external user's id provided by the identity provider.",
      },
      connection: {
        type: "string",
        minLength: 1,
        description: "Name of the connection this user should be created in.",
      },
      password: {
        type: "string",
        minLength: 1,
        description: "Initial password for this user. Only valid for auth0 connection strategy.",
      },
      verify_email: {
        type: "boolean",
        description:
          "Whether the user will receive a verification email after creation (true) or no email (false). " +
          "Overrides behavior of `email_verified` parameter.",
      },
      username: USERNAME,
    },
  };
}

/** PATCH leaves other properties to the handler: its schema is open. */
export function updateUserSchema({ nameMaxLength, nicknameMaxLength }: Switches): Schema {
  return {
    properties: {
      blocked: BLOCKED,
      email_verified: {
        type: "boolean",
        description:
          "Whether this email address is verified (true) or unverified (false). If set to false the user will not " +
          "receive a verification email unless `verify_email` is set to true.",
      },
      email: { ...EMAIL, nullable: true, description: "Email address of this user." },
      phone_number: { ...PHONE, nullable: true, description: PHONE_DESCRIPTION },
      phone_verified: PHONE_VERIFIED,
      user_metadata: { type: "object", description: "User metadata to which this user has read/write access." },
      app_metadata: { type: "object", description: "User metadata to which this user has read-only access." },
      given_name: { ...PERSON, nullable: true, description: "Given name/first name/forename of this user." },
      family_name: { ...PERSON, nullable: true, description: "Family name/last name/surname of this user." },
      name: {
        type: "string",
        nullable: true,
        minLength: 1,
        maxLength: nameMaxLength,
        description: "Name of this user.",
      },
      nickname: {
        type: "string",
        nullable: true,
        minLength: 1,
        maxLength: nicknameMaxLength,
        description: "Preferred nickname or alias of this user.",
      },
      picture: {
        type: "string",
        nullable: true,
        format: "strict-uri",
        description: "URL to picture, photo, or avatar of this user.",
      },
      verify_email: {
        type: "boolean",
        description:
          "Whether this user will receive a verification email after creation (true) or no email (false). " +
          "Overrides behavior of `email_verified` parameter.",
      },
      verify_phone_number: {
        type: "boolean",
        description:
          "Whether this user will receive a text after changing the phone number (true) or no text (false). " +
          "Only valid when changing phone number for SMS connections.",
      },
      password: {
        type: "string",
        nullable: true,
        minLength: 1,
        description: "New password for this user. Only valid for database connections.",
      },
      connection: {
        type: "string",
        minLength: 1,
        description: "Name of the connection to target for this user update.",
      },
      client_id: {
        type: "string",
        minLength: 1,
        description: "Auth0 client ID. Only valid when updating email address.",
      },
      username: { ...USERNAME, nullable: true },
    },
  };
}

/** A connection's own rule for usernames (modelled: in the words of the schema). */
export function usernameSchema({ min, max }: { readonly min: number; readonly max: number }): Property {
  return {
    ...USERNAME,
    nullable: true,
    minLength: min,
    maxLength: max,
    format: "username",
    pattern: /^[a-zA-Z0-9_+\-.!#$^`~@']*$/,
  };
}
