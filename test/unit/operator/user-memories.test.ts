/** What is remembered between passes comes back as it was kept. */
import test from "ava";
import { NO_MEMORY, type Memory } from "../../../src/reconcile/outcome.ts";
import { UserMemories, type KeyMemory } from "../../../src/operator/user-memories.ts";
import { objectKey } from "../../../src/kubernetes/object.ts";
import { anObservedUser } from "../../support/builders.ts";

const KEY = objectKey("team-a", "jane");
const KEPT: Omit<KeyMemory, "memory"> = {
  uid: "1",
  nextSyncAtMs: 5,
  awaitsPassword: false,
  failures: 0,
  writtenVersion: undefined,
  passedGeneration: 3,
};
const FACTS: { readonly [Name in keyof Memory]: Memory[Name] } = {
  lastSeen: { user: anObservedUser({ nickname: "jane" }), atMs: 7 },
  settled: new Map([["nickname", { asked: null, shown: "jane" }]]),
  reported: ["blocked"],
  unanswered: ["blocked"],
  refusedPassword: { version: "k:1", message: "too weak" },
  settledAssignments: "{}",
  goneSinceMs: 8,
  conflictSinceMs: 9,
};

for (const [name, fact] of Object.entries(FACTS)) {
  test(`${name} is remembered, also where nothing else is`, (t) => {
    const memories = new UserMemories();
    const memory = { ...NO_MEMORY, [name]: fact };

    memories.keep(KEY, { ...KEPT, memory });

    t.deepEqual(memories.find(KEY, "1"), { ...KEPT, memory });
    t.is(memories.find(KEY, "2"), undefined, "another resource of the name");
  });
}
