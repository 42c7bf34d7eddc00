import test from "ava";
import { tenantDomain, userId } from "../../../src/core/ids.ts";
import { parseObjectIdentity, objectKey } from "../../../src/kubernetes/object.ts";
import { Store } from "../../../src/kubernetes/store.ts";
import { parseAuth0UserResource, slimAuth0User } from "../../../src/operator/auth0-user-resource.ts";
import { UserHolders } from "../../../src/operator/user-holders.ts";
import { Keyring } from "../../../src/reconcile/keyring.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const DOMAIN = tenantDomain("acme.auth0.com");
const ID = userId("auth0|jane");
const [one, two] = [objectKey("team", "one"), objectKey("team", "two")];

function holders(): UserHolders {
  const store = new Store({
    slim: slimAuth0User,
    fingerprint: (user) => parseObjectIdentity(user).resourceVersion,
    parse: parseAuth0UserResource,
  });
  return new UserHolders({ store, stateKeys: { keyring: new Keyring(new Map()) }, clock: new ManualClock(0) });
}

test("of two that ask for one user at the same moment only the first gets it, also while the index is being made", async (t) => {
  const asked = holders();

  const answers = await Promise.all([asked.reserve(DOMAIN, ID, one), asked.reserve(DOMAIN, ID, two)]);

  t.deepEqual(answers, [undefined, one]);
  asked.release(DOMAIN, ID, one);
  t.is(await asked.reserve(DOMAIN, ID, two), undefined);
});
