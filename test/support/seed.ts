/** Chance in tests: a failure prints the seed, `FC_SEED=… npx ava …` repeats it. */
import process from "node:process";

export const seed = Number(process.env["FC_SEED"] ?? Date.now() % 2 ** 31);
