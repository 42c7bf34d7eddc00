/** `POST /dbconnections/signup`: a person makes an account by themselves. The bodies of its refusals are modelled. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Call } from "../call.ts";
import { kindOf } from "../connections/connection.ts";
import { parseBody, type Answer } from "../http.ts";
import { defined, objectIn, textIn } from "../json.ts";
import { noteSignup } from "../logs/note-writes.ts";
import { Refusal } from "../refusal.ts";
import { addUser, newUser } from "../users/new-user.ts";
import { checkPassword } from "../users/password-policy.ts";
import { isEmail } from "../schema.ts";

/** Root attributes that a person may give, and sees in the answer. */
const ATTRIBUTES = ["email", "username", "phone_number", "given_name", "family_name", "name", "nickname", "picture"];

export function signUp(call: Call): Answer {
  const { tenant, request } = call;
  const body = parseBody(request);
  const clientId = textIn(body, "client_id") ?? "";
  const connection = tenant.connections.findByName(textIn(body, "connection") ?? "");
  if (!connection?.enabledClients.includes(clientId) || kindOf(connection) !== "database") {
    throw signupRefusal("invalid_request", "the connection does not exist or is not enabled for the client");
  }
  if (connection.options["disable_signup"] === true) throw signupRefusal("invalid_signup", "Public signup is disabled");
  const password = textIn(body, "password");
  if (password === undefined || password === "") throw signupRefusal("invalid_request", "missing password");
  const email = textIn(body, "email");
  if (email !== undefined && !isEmail(email)) throw signupRefusal("invalid_signup", "email is not valid");
  const sent = defined(Object.fromEntries(ATTRIBUTES.map((name) => [name, textIn(body, name)])));
  const metadata = defined({ user_metadata: objectIn(body, "user_metadata") });
  const user = newUser(tenant, connection, { ...sent, ...metadata });
  refusedAsSignup(() => {
    checkPassword(password, connection, user.attributes);
    addUser(tenant, connection, user, password);
  });
  noteSignup(call, user, clientId);
  const shown = Object.fromEntries(Object.keys(sent).map((name) => [name, user.attributes[name]]));
  const { email_verified } = user.attributes;
  return { status: 200, body: { _id: user.identities[0].user_id, email_verified, ...shown, ...metadata } };
}

/** What the Management API would say, in this API's envelope. */
function refusedAsSignup(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const isPassword = error.message.startsWith("Password");
    throw signupRefusal(
      isPassword ? "invalid_password" : "invalid_signup",
      isPassword ? error.message : "Invalid sign up",
    );
  }
}

function signupRefusal(code: string, description: string): Refusal {
  const body: JsonObject = { name: "BadRequestError", code, description, statusCode: 400 };
  return new Refusal({ status: 400, body }, description);
}
