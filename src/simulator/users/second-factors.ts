/** What else touches second factors: enrollments, authenticators, recovery codes, remembered browsers. */
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import type { Answer } from "../http.ts";
import { defined } from "../json.ts";
import { alphanumeric } from "../made-up.ts";
import { removeMethods, removeWhere } from "./authentication-methods.ts";
import { userOf } from "./user-of.ts";

export const SECOND_FACTOR_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/users/{id}/enrollments", ["read:users"], listEnrollments),
  api("DELETE", "/users/{id}/authenticators", ["delete:guardian_enrollments"], removeMethods),
  api("DELETE", "/users/{id}/multifactor/{provider}", ["update:users"], removeProvider),
  api("POST", "/users/{id}/recovery-code-regeneration", ["update:users"], regenerateRecoveryCode),
  api("POST", "/users/{id}/multifactor/actions/invalidate-remember-browser", ["update:users"], forgetBrowsers),
];

function listEnrollments(call: ApiCall): Answer {
  const methods = call.tenant.authenticationMethods.of(userOf(call).userId);
  const enrollments = methods.map(({ id, type, name }) => defined({ id, status: "confirmed", type, name }));
  return { status: 200, body: enrollments };
}

function removeProvider(call: ApiCall): Answer {
  removeWhere(call, ({ type }) => call.params["provider"] === "google-authenticator" && type === "totp");
  return { status: 204 };
}

/** Also for a user without any second factor (recorded). */
function regenerateRecoveryCode(call: ApiCall): Answer {
  userOf(call);
  const code = alphanumeric(call.tenant.random, RECOVERY_CODE_LENGTH).toUpperCase();
  return { status: 200, body: { recovery_code: code } };
}

const RECOVERY_CODE_LENGTH = 24;

function forgetBrowsers(call: ApiCall): Answer {
  userOf(call);
  return { status: 204 };
}
