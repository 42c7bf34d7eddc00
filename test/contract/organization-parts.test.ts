/** Connections, invitations and discovery domains of organizations. [rec] recorded. */
import test from "ava";
import { openTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

let made = 0;

async function newOrganization(): Promise<string> {
  return ((await api("POST", "/organizations", { name: `org-${String(made++)}` })).body as { id: string }).id;
}

async function newConnection(strategy: string): Promise<string> {
  const body = { name: `c-${String(made++)}`, strategy };
  return ((await api("POST", "/connections", body)).body as { id: string }).id;
}

test("a connection of an organization is shown with its name and strategy [rec]", async (t) => {
  const [organization, connection_id] = [await newOrganization(), await newConnection("ad")];
  const path = `/organizations/${organization}/enabled_connections`;

  const added = await api("POST", path, { connection_id, assign_membership_on_login: true });

  t.is(added.status, 201);
  t.like(added.body, { connection_id, assign_membership_on_login: true, show_as_button: true });
  t.like(added.body, { connection: { strategy: "ad" } });
  t.deepEqual((await api("GET", path)).body, [added.body]);
  t.like((await api("PATCH", `${path}/${connection_id}`, { show_as_button: false })).body, { show_as_button: false });
  t.is((await api("DELETE", `${path}/${connection_id}`)).status, 204);
  t.deepEqual((await api("GET", `${path}/${connection_id}`)).body, {
    statusCode: 404,
    error: "Not Found",
    message: "No connection found by that id",
  });
});

test("only databases that assign membership let people sign up [rec]", async (t) => {
  const [organization, connection_id] = [await newOrganization(), await newConnection("auth0")];
  const path = `/organizations/${organization}/enabled_connections`;
  await api("POST", path, { connection_id, assign_membership_on_login: true, is_signup_enabled: true });

  const { body } = await api("PATCH", `${path}/${connection_id}`, { assign_membership_on_login: false });

  t.like(body, {
    statusCode: 400,
    message: "Only database connections with assign_membership_on_login = true support is_signup_enabled = true.",
  });
});

test("an organization can be made with its connections [rec], which go with the connection", async (t) => {
  const connection_id = await newConnection("ad");
  const sent = { name: "with-connections", enabled_connections: [{ connection_id }] };

  const { body } = await api("POST", "/organizations", sent);

  t.like(body, { enabled_connections: [{ connection_id }] });
  const { id } = body as { id: string };
  t.false("enabled_connections" in ((await api("GET", `/organizations/${id}`)).body as object));
  await api("DELETE", `/connections/${connection_id}`);
  t.deepEqual((await api("GET", `/organizations/${id}/enabled_connections`)).body, []);
});

test("an invitation has a link and ends after a week [rec]", async (t) => {
  const organization = await newOrganization();
  const { client_id } = (await api("POST", "/clients", { name: "app" })).body as { client_id: string };
  const sent = { inviter: { name: "Kim" }, invitee: { email: "new@example.com" }, client_id };
  const path = `/organizations/${organization}/invitations`;

  const { status, body } = await api("POST", path, sent);

  const invitation = body as Record<"id" | "ticket_id" | "created_at" | "expires_at", string>;
  t.is(status, 201);
  t.regex(invitation.id, /^uinv_[A-Za-z0-9]{16}$/);
  t.like(body, { ...sent, organization_id: organization });
  t.true(JSON.stringify(body).includes(`invitation=${invitation.ticket_id}&organization=${organization}`));
  t.is(Date.parse(invitation.expires_at) - Date.parse(invitation.created_at), 604_800_000);
  t.deepEqual((await api("GET", path)).body, [body]);
  t.is((await api("DELETE", `${path}/${invitation.id}`)).status, 204);
  t.deepEqual((await api("GET", `${path}/${invitation.id}`)).body, {
    statusCode: 404,
    error: "Not Found",
    message: "The invitation does not exist.",
    errorCode: "inexistent_invitation",
  });
});

test("a discovery domain is pending, and is found by id and name [rec]", async (t) => {
  const organization = await newOrganization();
  const path = `/organizations/${organization}/discovery-domains`;

  const { status, body } = await api("POST", path, { domain: "acme.com" });

  const { id } = body as { id: string };
  t.is(status, 201);
  t.like(body, {
    domain: "acme.com",
    status: "pending",
    verification_host: `_ss-verification.${organization}.acme.com`,
    use_for_organization_discovery: true,
  });
  t.deepEqual((await api("GET", path)).body, { domains: [body] });
  t.deepEqual((await api("GET", `${path}/${id}`)).body, body);
  t.deepEqual((await api("GET", `${path}/name/acme.com`)).body, body);
  t.like((await api("PATCH", `${path}/${id}`, { status: "verified" })).body, { id, status: "verified" });
  t.is((await api("POST", path, { domain: "acme.com" })).status, 409);
  t.is((await api("DELETE", `${path}/${id}`)).status, 204);
  t.like((await api("GET", `${path}/${id}`)).body, { message: "No organization domain found by that id" });
});

test("everything of an organization goes with it", async (t) => {
  const organization = await newOrganization();
  await api("POST", `/organizations/${organization}/discovery-domains`, { domain: "gone.com" });

  await api("DELETE", `/organizations/${organization}`);

  t.is((await api("GET", `/organizations/${organization}/discovery-domains`)).status, 404);
  const state = (await simulator.request("GET", "/_simulator/state")).body as { organizationDomains: unknown[] };
  t.false(JSON.stringify(state.organizationDomains).includes("gone.com"));
});
