import test from "ava";
import { desiredUserFrom } from "../../../src/api/desired-user.ts";
import { findUnset } from "../../../src/api/unset.ts";

const spec = { connection: "db", email: "jane@example.com", nickname: "kim", userMetadata: { team: "a", gone: null } };
const managed = [
  "email",
  "username",
  "emailVerified",
  "nickname",
  "picture",
  "blocked",
  "userMetadata.team",
  "userMetadata.gone",
  "userMetadata.old",
  "appMetadata.plan",
];

test("removes what was set before and left the spec, as far as it can be removed", (t) => {
  const removing = { ...spec, unsetPolicy: "Remove" as const, removeAttributes: ["appMetadata.other"] };

  t.deepEqual(findUnset(removing, { managed, removed: [] }), [
    "picture",
    "blocked",
    "userMetadata.old",
    "appMetadata.plan",
  ]);
  t.deepEqual(findUnset(removing, { managed: [], removed: [] }), [], "nothing of ours");
  t.deepEqual(findUnset(removing, { managed, removed: managed }), [], "removed already");
});

test("keeps what leaves the spec unless told otherwise", (t) => {
  t.deepEqual(findUnset(spec, { managed, removed: [] }), []);
});

test("policies of fields decide what is sent at all, a key before its metadata", (t) => {
  const desired = desiredUserFrom(
    {
      ...spec,
      picture: "https://example.com/a.png",
      blocked: false,
      fieldPolicies: { picture: "Ignore", userMetadata: "InitOnly", "userMetadata.team": "Ignore", blocked: "Enforce" },
    },
    [],
  );

  t.is(desired.attributes.picture, undefined);
  t.deepEqual(desired.userMetadata, { gone: null });
  t.deepEqual(desired.upkeep, {
    initOnly: new Set(["userMetadata.gone"]),
    ignored: new Set(["picture", "userMetadata.team"]),
    enforced: new Set(["blocked"]),
    drift: "Enforce",
    unset: "Keep",
  });
});
