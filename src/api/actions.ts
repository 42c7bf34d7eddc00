/**
 * What a person can ask for once, by annotation: `auth0-user-operator.dev/actions: unblock,verification-email@monday`.
 * What follows the `@` means nothing; a value that was not seen before is a new request.
 */

export const ACTIONS = {
  "verification-email": "Auth0 mails the person a link that confirms the address.",
  "password-change-ticket": "A link to choose a new password is made and put into a Secret, key url.",
  "revoke-access": "All sessions and refresh tokens end.",
  unblock: "Blocks that brute-force protection set are lifted (`blocked` is another matter: it is a field).",
  "resend-password": "The password of the Secret is sent, whether or not it was sent before.",
} as const;

export type Action = keyof typeof ACTIONS;

export interface ActionRequest {
  /** The annotation's value. */
  readonly text: string;
  readonly actions: readonly Action[];
  readonly unknown: readonly string[];
}

/** A longer one is no request of a person's. */
const MAX_REQUEST_CHARS = 300;

export function parseActions(annotation: string): ActionRequest {
  const text = annotation.slice(0, MAX_REQUEST_CHARS);
  const names = new Set(
    (text.split("@", 1)[0] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  );
  return {
    text,
    actions: [...names].filter((name): name is Action => Object.hasOwn(ACTIONS, name)),
    unknown: [...names].filter((name) => !Object.hasOwn(ACTIONS, name)),
  };
}
