import test from "ava";
import { tenantDomain, userId } from "../../../src/core/ids.ts";
import { objectKey } from "../../../src/kubernetes/object.ts";
import { Store } from "../../../src/kubernetes/store.ts";
import {
  auth0UserFingerprint,
  parseAuth0UserResource,
  slimAuth0User,
  type Auth0UserResource,
} from "../../../src/operator/auth0-user-resource.ts";
import { FINALIZER, USER_ID_ANNOTATION } from "../../../src/operator/names.ts";
import { UserHolders } from "../../../src/operator/user-holders.ts";
import { Keyring } from "../../../src/reconcile/keyring.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const DOMAIN = tenantDomain("acme.auth0.com");
const ID = userId("auth0|jane");
const [one, two] = [objectKey("team", "one"), objectKey("team", "two")];

function holders(store = aStore()): UserHolders {
  return new UserHolders({ store, stateKeys: { keyring: new Keyring(new Map()) }, clock: new ManualClock(0) });
}

function aStore(): Store<Auth0UserResource> {
  return new Store({ slim: slimAuth0User, fingerprint: auth0UserFingerprint, parse: parseAuth0UserResource });
}

test("a holder whose claim was spoilt is known by its id, and by its status as soon as that tells of the user", async (t) => {
  const store = aStore();
  const asked = holders(store);
  const feed = store.feed(undefined);
  const annotations = { [USER_ID_ANNOTATION]: `auth0|other;${DOMAIN};created;unsigned` };
  const metadata = { namespace: "team", name: "one", uid: "jane", generation: 1, finalizers: [FINALIZER], annotations };
  const spec = { connection: "Username-Password-Authentication" };

  feed.put({ metadata: { ...metadata, resourceVersion: "1" }, spec });
  t.is(await asked.reserve(DOMAIN, ID, two), one);
  feed.put({ metadata: { ...metadata, resourceVersion: "2" }, spec, status: { userId: ID, tenantDomain: DOMAIN } });
  t.is(await asked.reserve(DOMAIN, ID, two), one);
});

test("of two that ask for one user at the same moment only the first gets it, also while the index is being made", async (t) => {
  const asked = holders();

  const answers = await Promise.all([asked.reserve(DOMAIN, ID, one), asked.reserve(DOMAIN, ID, two)]);

  t.deepEqual(answers, [undefined, one]);
  asked.release(DOMAIN, ID, one, false);
  t.is(await asked.reserve(DOMAIN, ID, two), undefined);
});

test("a claim without a signature holds until the status tells of the user, though its pass is over", async (t) => {
  const store = aStore();
  const asked = holders(store);
  const annotations = { [USER_ID_ANNOTATION]: `${ID};${DOMAIN};adopted;unsigned` };
  const metadata = { namespace: "team", name: "one", uid: "u", generation: 1, finalizers: [FINALIZER], annotations };
  const feed = store.feed(undefined);
  const object = { metadata: { ...metadata, resourceVersion: "1" }, spec: { connection: "email", userId: ID } };
  feed.put(object);
  t.is(await asked.reserve(DOMAIN, ID, two), undefined, "a text that anybody may have written");
  asked.release(DOMAIN, ID, two, false);

  await asked.reserve(DOMAIN, ID, one);
  asked.release(DOMAIN, ID, one, true);

  t.is(await asked.reserve(DOMAIN, ID, two), one);
  feed.remove(object);
  t.is(await asked.reserve(DOMAIN, ID, two), undefined);
});

test("a user that a resource is about to create is that resource's, before it has a claim and whatever its status tells of", async (t) => {
  const store = aStore();
  const asked = holders(store);
  const feed = store.feed(undefined);
  const metadata = { namespace: "team", name: "one", uid: "jane", generation: 1 };
  const spec = { connection: "Username-Password-Authentication" };

  feed.put({ metadata: { ...metadata, resourceVersion: "1" }, spec });
  t.is(await asked.reserve(DOMAIN, ID, two), one);
  t.is(await asked.reserve(DOMAIN, ID, one), undefined);
  asked.release(DOMAIN, ID, one, false);
  const status = { userId: "auth0|another", tenantDomain: DOMAIN };
  feed.put({ metadata: { ...metadata, resourceVersion: "2" }, spec, status });
  t.is(await asked.reserve(DOMAIN, ID, two), one);
});

test("of resources that are gone nothing is kept for ever", async (t) => {
  const store = aStore();
  let builds = 0;
  const counted = new Proxy(store, {
    get: (target, name) => {
      if (name === "keys") builds++;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const asked = holders(counted);
  const feed = store.feed(undefined);
  await asked.reserve(DOMAIN, ID, one);
  const spec = { connection: "Username-Password-Authentication" };
  for (let each = 1; each <= 2_000; each++) {
    const metadata = { namespace: "team", name: `n${String(each)}`, uid: `u${String(each)}`, generation: 1 };
    feed.put({ metadata: { ...metadata, resourceVersion: String(2 * each) }, spec });
    await asked.find(DOMAIN, ID, two);
    feed.remove({ metadata: { ...metadata, resourceVersion: String(2 * each + 1) }, spec });
  }

  t.is(builds, 2);
});

test("a user that a pass reserved is free once it is over, also where the index was made anew meanwhile", async (t) => {
  const store = aStore();
  const asked = holders(store);
  const feed = store.feed(undefined);
  const spec = { connection: "Username-Password-Authentication" };
  t.is(await asked.reserve(DOMAIN, ID, one), undefined);
  for (let each = 1; each <= 2_000; each++) {
    const metadata = { namespace: "team", name: `n${String(each)}`, uid: `u${String(each)}`, generation: 1 };
    feed.put({ metadata: { ...metadata, resourceVersion: String(2 * each) }, spec });
    await Promise.resolve();
    feed.remove({ metadata: { ...metadata, resourceVersion: String(2 * each + 1) }, spec });
  }
  await new Promise((resolve) => setImmediate(resolve));

  asked.release(DOMAIN, ID, one, false);
  await new Promise((resolve) => setImmediate(resolve));

  t.is(await asked.find(DOMAIN, ID, two), undefined, "team/one is not even there");
});
