/** What a tenant object says of its credentials is true of the present ones. */
import test from "ava";
import { parseTenantStatus } from "../../../src/api/validate.ts";
import { tenantStatusAfter } from "../../../src/operator/tenant-status.ts";

test("scopes and the end of a token are not said of new credentials that don't tell of them", (t) => {
  const finding = { isReady: true, reason: "Connected", message: "", isTransient: false, pauses: [] } as const;
  const at = { generation: 1, nowMs: 0 };
  const access = { scopes: ["read:users", "delete:users"], expiresAtMs: 1_000 };
  const before = tenantStatusAfter({}, { ...finding, access }, new Map(), at);

  const after = tenantStatusAfter(
    before,
    { ...finding, access: { scopes: undefined, expiresAtMs: undefined } },
    new Map(),
    at,
  );

  t.deepEqual(parseTenantStatus(after), after);
  t.is(after.scopes, undefined);
  t.is(after.can, undefined);
});
