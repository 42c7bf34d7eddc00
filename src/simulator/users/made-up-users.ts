/** Plausible people, as many as wanted, the same for the same seed. */
import type { EpochMs } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";
import { seededRandom, type Random } from "../../runtime/random.ts";
import { newObjectId } from "../made-up.ts";

export interface MadeUpUsersOptions {
  readonly count: number;
  readonly seed: number;
  /** They came in the two years before. */
  readonly now: EpochMs;
}

const YEAR_MS = 365 * 86_400_000;

/** One in a hundred is blocked, one in ten has not confirmed the address, one in eight has never logged in. */
const [BLOCKED, UNVERIFIED, NEVER_SEEN] = [0.01, 0.1, 0.125];

/** In the order in which they came; for `seedUser`. */
export function* madeUpUsers({ count, seed, now }: MadeUpUsersOptions): Generator<JsonObject> {
  const random = seededRandom(seed);
  for (let index = 0; index < count; index++) {
    yield madeUpUser(random, index, now - (2 * YEAR_MS * (count - index)) / count, now);
  }
}

function madeUpUser(random: Random, index: number, createdAtMs: EpochMs, now: EpochMs): JsonObject {
  const [given, family] = [pick(GIVEN_NAMES, random), pick(FAMILY_NAMES, random)];
  const email = [asciiOf(given), asciiOf(family), `${String(index + 1)}@example.com`].join(".");
  const seenAtMs = createdAtMs + random.next() * (now - createdAtMs);
  const seen = random.next() >= NEVER_SEEN;
  return {
    user_id: newObjectId(random),
    created_at: new Date(createdAtMs).toISOString(),
    updated_at: new Date(seen ? seenAtMs : createdAtMs).toISOString(),
    email,
    email_verified: random.next() >= UNVERIFIED,
    name: [given, family].join(" "),
    given_name: given,
    family_name: family,
    nickname: given.toLowerCase(),
    user_metadata: { language: pick(LANGUAGES, random) },
    app_metadata: { plan: pick(PLANS, random) },
    ...(seen && {
      last_login: new Date(seenAtMs).toISOString(),
      last_ip: `203.0.113.${String(1 + Math.floor(random.next() * 254))}`,
      logins_count: 1 + Math.floor(random.next() * 400),
    }),
    ...(random.next() < BLOCKED && { blocked: true }),
  };
}

function pick(words: readonly string[], random: Random): string {
  return words[Math.floor(random.next() * words.length)] ?? "";
}

/** `Zoë` → `zoe`. */
function asciiOf(name: string): string {
  return name
    .normalize("NFD")
    .replaceAll(/[^A-Za-z]/g, "")
    .toLowerCase();
}

const LANGUAGES = "en de es fr it ja pt zh".split(" ");
const PLANS = "free free free pro team".split(" ");

const GIVEN_NAMES = (
  "Ada Aisha Amara Anders Bela Björn Carmen Chen Dmitri Elif Emeka Farah Grace Hana Ibrahim Ingrid Jamal " +
  "Jane João Kenji Kim Lena Linus Lucía Maja Malik Mei Mira Nadia Noor Olu Pablo Priya Ravi Rosa Sana Sofia " +
  "Tariq Thandi Tomás Vera Wei Xenia Yara Yusuf Zoë"
).split(" ");

const FAMILY_NAMES = (
  "Abara Adeyemi Ali Andersen Bauer Brown Castillo Chen Costa Demir Diallo Fischer García Haddad Hansen " +
  "Hassan Ito Ivanova Jensen Johnson Kaya Khan Kim Kowalski Kumar Larsen Lee Li López Meyer Mensah Nakamura " +
  "Nguyen Novak Okafor Olsen Patel Petrov Rossi Sato Schmidt Silva Singh Smith Suzuki Tanaka Torres Virtanen " +
  "Wang Weber Yılmaz"
).split(" ");
