import test from "ava";
import { KindDeletion } from "../../../src/operator/kind-deletion.ts";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface Question {
  readonly answer: (metadata: JsonObject) => void;
  readonly fail: (error: unknown) => void;
}

function aScene(): {
  readonly kind: Pick<KindDeletion, "isUnderWay">;
  readonly clock: ManualClock;
  readonly questions: readonly Question[];
} {
  const clock = new ManualClock();
  const questions: Question[] = [];
  const getMetadata = (): Promise<JsonObject> => {
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    questions.push({
      answer: (metadata) => {
        resolve({ metadata });
      },
      fail: reject,
    });
    return promise;
  };
  return { kind: new KindDeletion({ getMetadata }, clock), clock, questions };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("whoever asks while an answer is on its way gets the next one, all of them the same", async (t) => {
  const { kind, clock, questions } = aScene();
  const first = kind.isUnderWay();
  await settled();
  const others = [kind.isUnderWay(), kind.isUnderWay()];
  questions[0]?.answer({});
  t.false(await first);

  await clock.advance(100);
  t.is(questions.length, 2);
  questions[1]?.answer({ deletionTimestamp: "2026-01-01T00:00:00Z" });
  t.deepEqual(await Promise.all(others), [true, true]);
});

test("a mass deletion asks ten times a second, a single one at once", async (t) => {
  const { kind, clock, questions } = aScene();
  const first = kind.isUnderWay();
  await settled();
  t.is(questions.length, 1);
  questions[0]?.answer({});
  await settled();

  const second = kind.isUnderWay();
  await clock.advance(99);
  t.is(questions.length, 1);
  await clock.advance(1);
  t.is(questions.length, 2);
  questions[1]?.answer({});
  await clock.advance(100);

  const third = kind.isUnderWay();
  await settled();
  t.is(questions.length, 3);
  questions[2]?.answer({});
  t.deepEqual(await Promise.all([first, second, third]), [false, false, false]);
});

test("a question that fails is asked again for whoever comes next", async (t) => {
  const { kind, clock, questions } = aScene();
  const first = kind.isUnderWay();
  await settled();
  questions[0]?.fail(new Error("the API server can't be reached"));
  await t.throwsAsync(first, { message: /can't be reached/ });

  const second = kind.isUnderWay();
  await clock.advance(100);
  questions[1]?.answer({});
  t.false(await second);
});
