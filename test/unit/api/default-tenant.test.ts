/** The file that says what the process's own tenant grants: no API server stands between it and the operator. */
import test from "ava";
import { validateClusterTenantSpec, validateDefaultTenant } from "../../../src/api/validate.ts";
import { readGrants } from "../../../src/main/read-grants.ts";
import { aTempFolder } from "../../support/temp-folder.ts";

test("a grant that names namespaces and is to all of them is refused, as the API server does", (t) => {
  const grants = [{ namespaces: { from: "All", names: ["team-a"] }, roles: ["*"], adopt: true }];
  const spec = {
    domain: "acme.auth0.com",
    credentials: { secretRef: { name: "acme", namespace: "operator" } },
    grants,
  };

  t.is(validateDefaultTenant({ grants }).kind, "invalid", "in the file it is a grant to everybody");
  t.is(validateClusterTenantSpec(spec).kind, "invalid", "an object that slipped past an older CRD");
});

test("what the file says of protection is heeded, or refused", async (t) => {
  const file = aTempFolder(t).write("grants.yaml", "grants: []\nprotection: { maxDeletesPerHour: 1 }\n");

  await t.throwsAsync(readGrants(file), undefined, "it is taken without a word, and the limit stays as it was");
});
