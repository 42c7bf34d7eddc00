import test from "ava";
import * as fc from "fast-check";
import { Arena, type Block, type Slot } from "../../src/kubernetes/arena.ts";
import { seed } from "../support/seed.ts";

/** Sizes around what fits, and what does not fit into a block together with others. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.constantFrom(262_144, 262_145, 1_048_576, 1_048_577),
);
const operations = fc.array(
  fc.record({
    slot: fc.integer({ min: 0, max: 19 }),
    size: fc.option(sizes),
    letter: fc.constantFrom("a", "ä", "€", "😀"),
  }),
  { maxLength: 200, size: "max" },
);

test("an arena gives back what was last written, whatever was written and freed around it, and wastes little", (t) => {
  fc.assert(
    fc.property(operations, (steps) => {
      const arena = new Arena();
      const slots: readonly Slot[] = Array.from({ length: 20 }, () => ({ block: undefined, start: 0, bytes: 0 }));
      const texts = new Map<Slot, string>();
      for (const { slot: index, size, letter } of steps) {
        const slot = slots[index];
        if (slot === undefined) throw new Error("no slot");
        if (size === null) {
          arena.free(slot);
          texts.delete(slot);
        } else {
          const text = letter.repeat(size / Buffer.byteLength(letter));
          arena.write(slot, text);
          texts.set(slot, text);
        }
      }

      for (const [slot, text] of texts) if (arena.read(slot) !== text) return false;
      const live = new Map<Block, number>();
      for (const { block, bytes } of slots) if (block !== undefined) live.set(block, (live.get(block) ?? 0) + bytes);
      const hollow = [...live].filter(([{ buffer }, bytes]) => bytes < buffer.length * 0.75);
      // Only the block that is being filled may be.
      return hollow.length <= 1 && [...live].every(([block, bytes]) => block.live === bytes);
    }),
    { seed, numRuns: 40 },
  );
  t.pass();
});

test("an empty slot can't be read", (t) => {
  const arena = new Arena();
  const slot: Slot = { block: undefined, start: 0, bytes: 0 };

  t.throws(() => arena.read(slot), { message: /empty slot/ });
  arena.write(slot, "");
  t.is(arena.read(slot), "");
  arena.free(slot);
  t.throws(() => arena.read(slot), { message: /empty slot/ });
});
