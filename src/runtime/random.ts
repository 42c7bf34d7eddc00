/** Chance, handed in, so that a test or a fault plan can repeat it from a seed. */
import { randomBytes } from "node:crypto";

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `count` bytes. Fit for keys and passwords only where the source says so (`systemRandom` does). */
  bytes(count: number): Buffer;
}

/** The operating system's chance: `bytes` is cryptographically strong, `next` is merely fast. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
};

/** The same sequence for the same seed (mulberry32; period 2^32). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const nextUint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    next: () => nextUint32() / 2 ** 32,
    bytes: (count) => Buffer.from(Uint8Array.from({ length: count }, () => nextUint32() & 0xff)),
  };
}

/** `value` varied by up to ±`share` (0.1 is ±10 %), so that things that began together do not stay together. */
export function jittered(value: number, share: number, random: Random): number {
  return value * (1 + share * (2 * random.next() - 1));
}
