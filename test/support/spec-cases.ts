/** One table of valid and invalid specs: run against ajv and its twins, and against the real API server. */

export interface SpecCase {
  readonly title: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** What our own validation says; empty: valid. */
  readonly issues: readonly string[];
  /** What only our own validation can see: the API server takes it. */
  readonly passesApiServer?: true;
}

const valid = { connection: "db", email: "jane@example.com" };
const taken = (title: string, spec: object): SpecCase => ({
  title: `takes ${title}`,
  spec: { ...valid, ...spec },
  issues: [],
});
const refused = (title: string, spec: object, ...issues: string[]): SpecCase => ({
  title: `refuses ${title}`,
  spec: { ...valid, ...spec },
  issues,
});
const refusedByUsOnly = (title: string, spec: object, ...issues: string[]): SpecCase => ({
  ...refused(title, spec, ...issues),
  passesApiServer: true,
});

const ADDRESS = "spec.email: must be a bare address, such as jane@example.com";
const PICTURE = "spec.picture: must be an http(s) URL, such as https://example.com/jane.png";
const REMOVABLE =
  "must be one of phoneNumber, blocked, givenName, familyName, name, nickname, picture, userMetadata.KEY, appMetadata.KEY";

export const SPEC_CASES: readonly SpecCase[] = [
  taken("the smallest spec", {}),
  taken("everything at once", {
    userId: "auth0|64f1c0ffee",
    emailVerified: true,
    verifyEmail: false,
    username: "jane_doe",
    blocked: false,
    givenName: "Jane",
    familyName: "Doe",
    name: "Jane Doe",
    nickname: "jane",
    picture: "https://example.com/jane.png?size=1",
    removeAttributes: ["userMetadata.old key", "appMetadata.old"],
    userMetadata: { team: "a", nested: { list: [1, null, { deep: null }] }, gone: null },
    appMetadata: { plan: "gold" },
    password: { secretRef: { name: "jane-password", key: "password" } },
    deletionPolicy: "Retain",
    suspend: false,
    syncInterval: "1h30m",
  }),
  taken("nulls of the root attributes", {
    givenName: null,
    familyName: null,
    name: null,
    nickname: null,
    picture: null,
  }),
  taken("a removal beside an explicit null", { nickname: null, removeAttributes: ["nickname"] }),
  taken("an address with a plus and a subdomain", { email: "jane+test@mail.example.co.uk" }),
  taken("a phone number only", { email: undefined, phoneNumber: "+4420794609" }),
  taken("policies of fields", {
    fieldPolicies: {
      nickname: "InitOnly",
      blocked: "Enforce",
      userMetadata: "Ignore",
      "appMetadata.plan b": "InitOnly",
    },
    driftPolicy: "Detect",
    unsetPolicy: "Remove",
  }),
  taken("roles, permissions and organizations", {
    roles: ["support admin", "rol_0123456789abcdef"],
    rolesPolicy: "Exact",
    permissions: [{ resourceServer: "https://api.example.com", name: "read:reports" }],
    permissionsPolicy: "Additive",
    organizations: [{ name: "acme", roles: ["member"] }, { id: "org_0123456789abcdef" }],
    fieldPolicies: { roles: "InitOnly" },
  }),
  refused(
    "an organization by name and id",
    { organizations: [{ name: "acme", id: "org_0123456789abcdef" }] },
    "spec.organizations: an organization is named either by name or by id",
  ),
  refused("roles that are no list", { roles: "admin" }, "spec.roles: must be array"),
  refused(
    "a permission without its API",
    { permissions: [{ name: "read:reports" }] },
    "spec.permissions.0.resourceServer: is required",
  ),
  taken("a username only", { email: undefined, username: "jane" }),
  taken("a userId only", { email: undefined, userId: "google-oauth2|1042" }),
  taken("an id with several bars", { userId: "samlp|acme|jane@example.com" }),
  refused("a misspelt field", { nickName: "x" }, "spec.nickName: unknown field; did you mean nickname?"),
  refused("a snake_case field", { given_name: "x" }, "spec.given_name: unknown field; did you mean givenName?"),
  refused("an unknown field", { colour: "x" }, "spec.colour: unknown field"),
  refused(
    "an unknown field deep inside",
    { password: { secretRef: { name: "a", keys: "b" } } },
    "spec.password.secretRef.keys: unknown field; did you mean key?",
  ),
  refused("a wrong type", { blocked: "yes" }, "spec.blocked: must be boolean"),
  refused("no connection", { connection: undefined }, "spec.connection: is required"),
  refused(
    "a connection with blanks",
    { connection: "my db" },
    "spec.connection: must be a connection's name, without blanks",
  ),
  refused(
    "no identifier",
    { email: undefined },
    "spec.email: a user needs an email, a username or a phoneNumber, or a userId to adopt",
  ),
  refused("an address with a name", { email: "Jane <jane@example.com>" }, ADDRESS),
  refused("an address with blanks around", { email: " jane@example.com" }, ADDRESS),
  refused("an address without a top level", { email: "jane@example" }, ADDRESS),
  refused("two addresses", { email: "jane@example.com,joe@example.com" }, ADDRESS),
  refused("a null address", { email: null }, "spec.email: must be string"),
  refused(
    "a bare user id",
    { userId: "64f1c0ffee" },
    "spec.userId: must be a whole user id with its strategy, such as auth0|64f1c0ffee",
  ),
  refused(
    "a username with blanks",
    { username: "jane doe" },
    "spec.username: may hold letters, digits and _ + - . ! # $ ^ ` ~ @ '",
  ),
  refused("an empty nickname", { nickname: "" }, "spec.nickname: must NOT have fewer than 1 characters"),
  refused(
    "a given name that is too long",
    { givenName: "x".repeat(151) },
    "spec.givenName: must NOT have more than 150 characters",
  ),
  refused(
    "a number without a plus",
    { phoneNumber: "0044 20 79" },
    "spec.phoneNumber: must be a number with its country code, digits only, such as +4420794609",
  ),
  refused(
    "a user of sms without a number",
    { connection: "sms", phoneNumber: null },
    "spec.phoneNumber: users of connection sms are known by their phoneNumber",
  ),
  refused(
    "a policy of an unknown field",
    { fieldPolicies: { nickName: "Ignore" } },
    "spec.fieldPolicies: fieldPolicies names a field that does not exist: it takes the attributes of the spec, roles, permissions, organizations, userMetadata, appMetadata, userMetadata.KEY and appMetadata.KEY",
  ),
  refused(
    "an unknown policy of a field",
    { fieldPolicies: { nickname: "Keep" } },
    "spec.fieldPolicies.nickname: must be one of Enforce, InitOnly, Ignore",
  ),
  refused("an unknown drift policy", { driftPolicy: "Report" }, "spec.driftPolicy: must be one of Enforce, Detect"),
  refused("a picture without a scheme", { picture: "example.com/jane.png" }, PICTURE),
  refused("a picture that is a script", { picture: "javascript:alert(1)" }, PICTURE),
  refused(
    "a nickname both set and removed",
    { nickname: "kim", removeAttributes: ["nickname"] },
    "spec.nickname: nickname has a value and is named in removeAttributes: keep one of the two",
  ),
  refused(
    "a block both set and removed",
    { blocked: true, removeAttributes: ["blocked"] },
    "spec.blocked: blocked has a value and is named in removeAttributes: keep one of the two",
  ),
  refused("the removal of the address", { removeAttributes: ["email"] }, `spec.removeAttributes.0: ${REMOVABLE}`),
  refused(
    "the removal of a nested metadata key",
    { removeAttributes: ["userMetadata.a.b"] },
    `spec.removeAttributes.0: ${REMOVABLE}`,
  ),
  refused(
    "a deletion policy that does not exist",
    { deletionPolicy: "delete" },
    "spec.deletionPolicy: must be one of Delete, Retain, Disable",
  ),
  refused("a password as it is", { password: "hunter2" }, "spec.password: must be object"),
  refused(
    "a sync interval that is too short",
    { syncInterval: "9s" },
    "spec.syncInterval: syncInterval must be between 10s and 720h",
  ),
  refused(
    "a sync interval in days",
    { syncInterval: "1d" },
    "spec.syncInterval: must be a duration, such as 30m or 1h30m",
  ),
  refusedByUsOnly(
    "a metadata key both set and removed",
    { userMetadata: { team: "a" }, removeAttributes: ["userMetadata.team"] },
    "spec.userMetadata.team: has a value and is named in removeAttributes: keep one of the two",
  ),
  refusedByUsOnly(
    "metadata that are too large",
    { appMetadata: { text: "x".repeat(20_000) } },
    "spec.appMetadata: userMetadata and appMetadata have 20011 bytes as JSON, and Auth0 takes 10240 a user: keep large data elsewhere and its id here",
  ),
  refusedByUsOnly(
    "metadata that are nested too deep",
    { userMetadata: JSON.parse(`${'{"a":'.repeat(21)}1${"}".repeat(21)}`) as object },
    "spec.userMetadata: is nested deeper than 20 levels: make it flatter",
  ),
  refusedByUsOnly(
    "a metadata key with a dot",
    { userMetadata: { "a.b": 1 } },
    "spec.userMetadata.a.b: Auth0 takes no keys that hold a dot or begin with $",
  ),
  refusedByUsOnly(
    "a metadata key that begins with $",
    { appMetadata: { $set: 1 } },
    "spec.appMetadata.$set: Auth0 takes no keys that hold a dot or begin with $",
  ),
  refusedByUsOnly(
    "an app_metadata name that Auth0 keeps",
    { appMetadata: { user_id: "x" } },
    "spec.appMetadata.user_id: Auth0 keeps this name to itself; choose another",
  ),
  refusedByUsOnly(
    "the operator's own app_metadata name",
    { removeAttributes: ["appMetadata.auth0_user_operator"] },
    "spec.appMetadata.auth0_user_operator: the operator keeps this name to itself; choose another",
  ),
];
