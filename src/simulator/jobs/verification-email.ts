/** `POST /api/v2/jobs/verification-email`. No mail is sent; the job ends as the switch says that mails do. */
import type { ApiCall } from "../call.ts";
import { parseBody } from "../http.ts";
import { objectIn, textIn } from "../json.ts";
import { badRequest, inexistentUser } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import { checkUserId } from "../users/user-id.ts";
import type { NewJob } from "./jobs.ts";

const SCHEMA: Schema = {
  additional: { hint: "" },
  required: ["user_id"],
  properties: {
    user_id: { type: "string", description: "user_id of the user to send the verification email to." },
    client_id: { type: "string", description: "client_id of the client (application)." },
    identity: {
      type: "object",
      required: ["user_id", "provider"],
      properties: { user_id: { type: "string" }, provider: { type: "string" }, connection_id: { type: "string" } },
      description: "This must be provided to verify primary social, enterprise and passwordless email identities.",
    },
    organization_id: { type: "string", description: "(Optional) Organization ID – the ID of the Organization." },
  },
};

export function sendVerificationEmail({ tenant, request }: ApiCall): NewJob {
  const body = parseBody(request);
  checkBody(body, SCHEMA);
  const user = tenant.users.find(checkUserId(textIn(body, "user_id")));
  if (!user) throw inexistentUser();
  const wanted = objectIn(body, "identity");
  const { identities, attributes } = user;
  if (
    wanted &&
    !identities.some((each) => each.user_id === wanted["user_id"] && each.provider === wanted["provider"])
  ) {
    throw badRequest("The user exists, but does not contain the given identity.");
  }
  if (!wanted && identities[0].provider !== "auth0") throw badRequest("Connection must be a database connection.");
  if (attributes["email"] === undefined) throw badRequest("User does not have an email address.");
  return { type: "verification_email", asked: {}, result: { status: tenant.switches.verificationEmail } };
}
