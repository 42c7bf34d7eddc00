/** What a store tells its listeners, and what readers find in it, whatever order lists, events and answers come in. */
import test from "ava";
import type { JsonObject } from "../../../src/runtime/json.ts";
import {
  compareResourceVersions,
  isGone,
  objectKey,
  parseObjectIdentity,
  splitObjectKey,
  withoutManagedFields,
} from "../../../src/kubernetes/object.ts";
import { Store, type ChangeCause, type Feed } from "../../../src/kubernetes/store.ts";
import { anObject } from "../../support/objects.ts";

const never = new AbortController().signal;
const key = objectKey("a", "x");

interface Told {
  readonly store: Store<JsonObject>;
  readonly feed: Feed;
  /** `key cause` of what listeners heard, in order. */
  readonly told: string[];
}

/** A store whose fingerprint is the spec, with an empty complete list behind it. */
function aSyncedStore(): Told {
  const store = aStore();
  const feed = store.feed(undefined);
  feed.beginList("1");
  feed.endList();
  const told: string[] = [];
  store.onChange((changed, cause: ChangeCause) => told.push(`${changed} ${cause}`));
  return { store, feed, told };
}

function aStore(): Store<JsonObject> {
  return new Store({
    slim: withoutManagedFields,
    fingerprint: ({ spec }) => JSON.stringify(spec),
    parse: (slim) => slim,
  });
}

test("keys hold namespace and name, and come apart again", (t) => {
  t.is<string, string>(objectKey("a", "x"), "a/x");
  t.is<string, string>(objectKey(undefined, "x"), "x");
  t.deepEqual(splitObjectKey(objectKey("a", "x")), { namespace: "a", name: "x" });
  t.deepEqual(splitObjectKey(objectKey(undefined, "x")), { namespace: undefined, name: "x" });
});

for (const [a, b, sign] of [
  ["9", "10", -1],
  ["10", "9", 1],
  ["10", "10", 0],
  ["18446744073709551615", "18446744073709551616", -1],
  ["340282366920938463463374607431768211455", "99", 1],
  ["abc", "5", 1],
  ["5", "abc", 1],
] as const) {
  test(`resource version ${a} against ${b}`, (t) => {
    t.is(Math.sign(compareResourceVersions(a, b)), sign);
  });
}

for (const [name, metadata, gone] of [
  ["alive", {}, false],
  ["held by a finalizer", { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["f"] }, false],
  ["in its grace period", { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 }, false],
  ["deleted and not held", { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 }, true],
] as const) {
  test(`an object that is ${name} is ${gone ? "" : "not "}gone`, (t) => {
    t.is(isGone(anObject({ metadata })), gone);
  });
}

for (const [name, object] of Object.entries({
  "without metadata": {},
  "without a name": { metadata: {} },
  "with a namespace that is no text": { metadata: { name: "x", namespace: 5, uid: "u", resourceVersion: "1" } },
  "without a uid": { metadata: { name: "x", resourceVersion: "1" } },
})) {
  test(`JSON ${name} is no object`, (t) => {
    t.throws(() => parseObjectIdentity(object));
  });
}

test("readers get the slim part, parsed, and a value of their own each time", (t) => {
  const { store, feed } = aSyncedStore();
  feed.put(anObject({ spec: { a: "ä\u2028" }, metadata: { managedFields: [{ manager: "kubectl" }] } }));

  t.deepEqual(store.get(key), anObject({ spec: { a: "ä\u2028" } }));
  t.not(store.get(key), store.get(key));
  t.is(store.get(objectKey("a", "other")), undefined);
  const { uid, resourceVersion } = parseObjectIdentity(anObject());
  t.like(store.identify(key), { uid, resourceVersion });
  t.is(store.identify(objectKey("a", "other")), undefined);
  t.deepEqual([...store.keys()], [key]);
});

test("listeners hear of what is added, changed in its fingerprint, deleted; and of nothing else", (t) => {
  const { store, feed, told } = aSyncedStore();

  feed.put(anObject({ version: 2, spec: 1 }));
  feed.put(anObject({ version: 3, spec: 1, metadata: { labels: { foreign: "yes" } } }));
  feed.put(anObject({ version: 4, spec: 2 }));
  feed.remove(anObject({ version: 5, spec: 2 }));

  t.deepEqual(told, ["a/x added", "a/x changed", "a/x deleted"]);
  t.is(store.size, 0);
});

test("a state that calls for no work is kept all the same", (t) => {
  const { store, feed } = aSyncedStore();
  feed.put(anObject({ version: 2 }));

  feed.put(anObject({ version: 3, metadata: { labels: { foreign: "yes" } } }));

  t.deepEqual(store.get(key)?.["metadata"], {
    name: "x",
    namespace: "a",
    uid: "u",
    resourceVersion: "3",
    labels: { foreign: "yes" },
  });
});

test("an older or equal version changes nothing", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 10, spec: "new" }));

  feed.put(anObject({ version: 9, spec: "old" }));
  feed.put(anObject({ version: 10, spec: "odd" }));
  feed.remove(anObject({ version: 9 }));

  t.is(store.get(key)?.["spec"], "new");
  t.deepEqual(told, ["a/x added"]);
});

test("a change, its undoing, and a late event of the time between: two changes", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2, spec: "a" }));

  feed.put(anObject({ version: 3, spec: "b" }));
  feed.put(anObject({ version: 5, spec: "a" }));
  feed.put(anObject({ version: 4, spec: "c" }));

  t.is(store.get(key)?.["spec"], "a");
  t.deepEqual(told, ["a/x added", "a/x changed", "a/x changed"]);
});

test("an object that was deleted and made again unseen is told as both", (t) => {
  const { feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2, uid: "first" }));

  feed.put(anObject({ version: 9, uid: "second" }));

  t.deepEqual(told, ["a/x added", "a/x deleted", "a/x added"]);
});

test("what is missing from a complete list is deleted, what is in it is kept", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ name: "x", version: 2 }));
  feed.put(anObject({ name: "y", version: 3 }));

  feed.beginList("5");
  feed.put(anObject({ name: "y", version: 3 }));
  t.is(store.size, 2, "not before the list is complete");
  feed.endList();

  t.deepEqual([...store.keys()], ["a/y"]);
  t.deepEqual(told, ["a/x added", "a/y added", "a/x deleted"]);
});

test("a list that was begun again prunes by the last one", (t) => {
  const { store, feed } = aSyncedStore();
  feed.put(anObject({ name: "x", version: 2 }));

  feed.beginList("5");
  feed.put(anObject({ name: "x", version: 2 }));
  feed.beginList("6");
  feed.put(anObject({ name: "y", version: 6 }));
  feed.endList();

  t.deepEqual([...store.keys()], ["a/y"]);
});

test("a feed of one namespace prunes its own", (t) => {
  const store = aStore();
  const [a, b] = [store.feed("a"), store.feed("b")];
  a.beginList("1");
  a.put(anObject({ namespace: "a" }));
  a.endList();
  t.false(store.hasSynced, "one of two namespaces is known");
  b.beginList("1");
  b.endList();

  t.true(store.hasSynced);
  t.is(store.size, 1);
});

test("a store is synced once each feed has brought a list, and stays so while one is repeated", async (t) => {
  const store = aStore();
  t.false(store.hasSynced, "nobody feeds it");
  const feed = store.feed(undefined);
  const synced = store.whenSynced(never);
  feed.beginList("1");
  t.false(store.hasSynced);

  feed.endList();

  await t.notThrowsAsync(synced);
  feed.beginList("2");
  t.true(store.hasSynced);
});

test("waiting for a store ends with the signal", async (t) => {
  const controller = new AbortController();
  const waiting = aStore().whenSynced(controller.signal);
  const reason = new Error("stop");

  controller.abort(reason);

  t.is(await t.throwsAsync(waiting), reason);
});

test("a server set back to a backup is believed, though its versions are lower", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ name: "x", version: 900, spec: "later" }));
  feed.put(anObject({ name: "y", version: 901 }));
  feed.progress("901");

  feed.beginList("500");
  feed.put(anObject({ name: "x", version: 400, spec: "earlier" }));
  feed.endList();
  feed.put(anObject({ name: "x", version: 501, spec: "edited" }));

  t.is(store.get(key)?.["spec"], "edited");
  t.deepEqual(told, ["a/x added", "a/y added", "a/x changed", "a/y deleted", "a/x changed"]);
});

/** A write on the object at version 2, of which the test gives the answer, or the failure. */
function aWrite(
  { store }: Told,
  basedOn = "2",
): { readonly written: Promise<JsonObject> } & PromiseWithResolvers<JsonObject> {
  const answer = Promise.withResolvers<JsonObject>();
  return { ...answer, written: store.write(key, basedOn, () => answer.promise) };
}

test("a conditional write of ours is read at once and wakes nobody, nor does its event that comes later", async (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2, spec: "theirs" }));
  const { written, resolve } = aWrite(scene);

  resolve(anObject({ version: 3, spec: "ours" }));

  t.deepEqual(await written, anObject({ version: 3, spec: "ours" }));
  t.is(scene.store.get(key)?.["spec"], "ours");
  scene.feed.put(anObject({ version: 3, spec: "ours" }));
  t.deepEqual(scene.told, ["a/x added"]);
});

test("nor does its event that comes before the answer", async (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2, spec: "theirs" }));
  const { written, resolve } = aWrite(scene);

  scene.feed.put(anObject({ version: 3, spec: "ours" }));
  t.is(scene.store.get(key)?.["spec"], "ours", "what is known is not withheld");
  resolve(anObject({ version: 3, spec: "ours" }));
  await written;

  t.deepEqual(scene.told, ["a/x added"]);
});

test("somebody's edit right after our write is told, whether its event comes before our answer or after", async (t) => {
  for (const isEarly of [true, false]) {
    const scene = aSyncedStore();
    scene.feed.put(anObject({ version: 2, spec: "theirs" }));
    const { written, resolve } = aWrite(scene);
    const edit = (): void => {
      scene.feed.put(anObject({ version: 4, spec: "edited" }));
    };

    if (isEarly) edit();
    resolve(anObject({ version: 3, spec: "ours" }));
    await written;
    if (!isEarly) edit();

    t.is(scene.store.get(key)?.["spec"], "edited");
    t.deepEqual(scene.told, ["a/x added", "a/x changed"]);
  }
});

test("what happened to other objects during a write is told at once", (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2 }));
  aWrite(scene);

  scene.feed.put(anObject({ name: "y", version: 3 }));

  t.deepEqual(scene.told, ["a/x added", "a/y added"]);
});

test("a write that is refused, or not answered, leaves nothing untold", async (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2, spec: "theirs" }));
  const { written, reject } = aWrite(scene);
  const conflict = new Error("conflict");

  scene.feed.put(anObject({ version: 3, spec: "edited" }));
  t.deepEqual(scene.told, ["a/x added"]);
  reject(conflict);

  t.is(await t.throwsAsync(written), conflict);
  t.deepEqual(scene.told, ["a/x added", "a/x changed"]);
  scene.feed.put(anObject({ version: 5, spec: "again" }));
  t.is(scene.told.length, 3);
});

test("of two writes of one object that overlap each is taken for ours", async (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2 }));
  const [first, second] = [aWrite(scene), aWrite(scene)];

  first.reject(new Error("lost"));
  await t.throwsAsync(first.written);
  scene.feed.put(anObject({ version: 3, spec: "ours" }));
  second.resolve(anObject({ version: 3, spec: "ours" }));
  await second.written;
  t.deepEqual(scene.told, ["a/x added"]);

  scene.feed.put(anObject({ version: 4, spec: "edited" }));
  t.deepEqual(scene.told, ["a/x added", "a/x changed"]);
});

test("an unconditional write that went on top of somebody's edit tells of the edit", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2, spec: "before" }));

  // The answer to a status patch of ours, in which spec is what a person made of it meanwhile.
  store.absorb(anObject({ version: 4, spec: "edited" }));
  feed.put(anObject({ version: 3, spec: "edited" }));
  feed.put(anObject({ version: 4, spec: "edited" }));

  t.deepEqual(told, ["a/x added", "a/x changed"]);
});

test("a conditional write on a state that the store has not seen tells of the difference", async (t) => {
  const scene = aSyncedStore();
  scene.feed.put(anObject({ version: 2, spec: "before" }));
  const { written, resolve } = aWrite(scene, "3");

  resolve(anObject({ version: 4, spec: "edited and ours" }));
  await written;

  t.deepEqual(scene.told, ["a/x added", "a/x changed"]);
});

test("an unconditional write that changed nothing of interest wakes nobody", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2 }));

  store.absorb(anObject({ version: 3, metadata: { labels: { ours: "yes" } } }));
  feed.put(anObject({ version: 3, metadata: { labels: { ours: "yes" } } }));

  t.deepEqual(told, ["a/x added"]);
});

test("an answer older than the watch is ignored", (t) => {
  const { store, feed } = aSyncedStore();
  feed.put(anObject({ version: 5, spec: "watched" }));

  store.absorb(anObject({ version: 4, spec: "answered" }));

  t.is(store.get(key)?.["spec"], "watched");
});

test("an object that we made is there at once, and its event is no news", (t) => {
  const { store, feed, told } = aSyncedStore();

  store.absorb(anObject({ version: 2 }));
  feed.put(anObject({ version: 2 }));

  t.is(store.size, 1);
  t.deepEqual(told, []);
});

test("an object that we made while a list was under way is not pruned by it", (t) => {
  const { store, feed } = aSyncedStore();

  feed.beginList("5");
  store.absorb(anObject({ version: 6 }));
  feed.endList();

  t.is(store.size, 1);
});

test("an answer that comes after the deletion does not bring the object back", (t) => {
  const { store, feed } = aSyncedStore();
  feed.put(anObject({ version: 2 }));
  feed.remove(anObject({ version: 4 }));
  feed.progress("4");

  store.absorb(anObject({ version: 3 }));

  t.is(store.size, 0);
});

test("an answer is measured by the feed of its namespace", (t) => {
  const store = aStore();
  const feed = store.feed("a");
  feed.progress("4");

  store.absorb(anObject({ name: "x", version: 3 }));
  store.absorb(anObject({ name: "y", version: 5 }));

  t.deepEqual([...store.keys()], ["a/y"]);
});

test("an answer about a namespace that is not read is ignored", (t) => {
  const store = aStore();
  store.feed("a");

  store.absorb(anObject({ namespace: "b" }));

  t.is(store.size, 0);
});

const goneMetadata = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [] };

test("an object whose last finalizer we took is gone at once, and told once", async (t) => {
  for (const isEarly of [true, false]) {
    const scene = aSyncedStore();
    const { store, feed, told } = scene;
    feed.put(anObject({ version: 2 }));
    const { written, resolve } = aWrite(scene);
    const remove = (): void => {
      feed.remove(anObject({ version: 5 }));
      feed.progress("5");
    };

    if (isEarly) remove();
    resolve(anObject({ version: 4, metadata: goneMetadata }));
    await written;
    t.is(store.get(key), undefined);
    t.is(store.identify(key), undefined);
    t.is(store.size, 0);
    t.deepEqual([...store.keys()], []);
    if (!isEarly) {
      feed.put(anObject({ version: 3, spec: "an event that was still on its way" }));
      store.absorb(anObject({ version: 5, metadata: goneMetadata }));
      remove();
    }

    t.deepEqual(told, ["a/x added", "a/x deleted"]);
    t.is(store.size, 0);
  }
});

test("such an object may be made again before its end was seen", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2 }));
  store.absorb(anObject({ version: 3, metadata: goneMetadata }));

  feed.put(anObject({ version: 5, uid: "second" }));

  t.deepEqual(told, ["a/x added", "a/x deleted", "a/x added"]);
  t.is(store.size, 1);
});

test("a list forgets such an object for good", (t) => {
  const { store, feed, told } = aSyncedStore();
  feed.put(anObject({ version: 2 }));
  store.absorb(anObject({ version: 3, metadata: goneMetadata }));

  feed.beginList("9");
  feed.endList();
  feed.put(anObject({ version: 10 }));

  t.deepEqual(told, ["a/x added", "a/x deleted", "a/x added"]);
  t.is(store.size, 1);
});

test("the end of an object that is not known, or was replaced, is ignored", (t) => {
  const { store, feed, told } = aSyncedStore();
  store.absorb(anObject({ name: "y", version: 3, metadata: goneMetadata }));
  feed.put(anObject({ version: 9, uid: "second" }));

  store.absorb(anObject({ version: 4, uid: "first", metadata: goneMetadata }));

  t.deepEqual(told, ["a/x added"]);
  t.is(store.size, 1);
});
