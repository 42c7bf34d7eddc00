/**
 * Whether a password has to be sent. It can't be read back, and sending it again trips history policies and ends
 * sessions, so a keyed MAC of the one that was sent decides, kept as the resource's `passwordVersion`.
 */
import type { Keyring } from "./keyring.ts";
import type { Reason } from "./reasons.ts";

/** What the resource says of its password, after the Secret was looked at. */
export type PasswordDeclaration =
  | { readonly kind: "unmanaged" }
  /** The Secret can't be used; `message` says what to do. */
  | { readonly kind: "missing"; readonly reason: Reason; readonly message: string }
  /** The Secret is gone, which matters only if the user has to be created again. */
  | {
      readonly kind: "unneeded";
      readonly reason: Reason;
      readonly message: string;
      /** Makes another one for that; `undefined` where only a person can. @throws what the side throws */
      readonly renew: (() => Promise<PasswordDeclaration>) | undefined;
    }
  | {
      readonly kind: "given";
      readonly value: string;
      readonly standing: PasswordStanding;
      /** To be noted when it is sent; `undefined` while there is no key. */
      readonly version: string | undefined;
    };

/** How the Secret's password stands to the one that was sent last. */
export type PasswordStanding =
  | "same"
  | "changed"
  /** Nobody knows: what was noted is gone, or was made with a key that is. */
  | "unknown"
  /** It is set at creation only, and the user exists. */
  | "left";

/**
 * @param uid the resource's own, so that equal passwords of two resources have different versions
 * @returns `undefined` while there is no key
 */
export function passwordVersion(password: string, uid: string, keyring: Keyring): string | undefined {
  return keyring.sign("password", [uid, password]);
}

/**
 * @param applied the version that was noted when a password was last sent
 * @param isNew whether the resource has never had its password noted because it has never had a user, or had no password
 *   before; otherwise a version that is absent, or made with a key that is gone, is a loss and not a change
 */
export function comparePassword(
  password: string,
  uid: string,
  applied: string | undefined,
  isNew: boolean,
  keyring: Keyring,
): PasswordStanding {
  if (applied === undefined) return isNew ? "changed" : "unknown";
  const verification = keyring.verify("password", [uid, password], applied);
  if (verification === "unknown key") return "unknown";
  return verification === "valid" ? "same" : "changed";
}
