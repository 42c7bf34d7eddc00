/** What people do in a history at Auth0, each deed in words, for the trace. */
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import { ACME, DATABASE, GLOBEX, PASSWORDLESS, PEOPLE } from "./names.ts";
import type { HistoryKind } from "./kind.ts";
import { keyOf } from "./reading.ts";
import { drawAssignment } from "./assignments.ts";
import type { Stage } from "./stage.ts";
import type { WireUser } from "./tenant-side.ts";

export class PeopleAtAuth0 {
  readonly #chance: Chance;
  readonly #stage: Stage;
  readonly #kind: HistoryKind;
  #edits = 0;
  #isLinked = false;

  constructor(chance: Chance, stage: Stage, kind: HistoryKind) {
    this.#chance = chance;
    this.#stage = stage;
    this.#kind = kind;
  }

  signUp(): string | undefined {
    const domain = this.#chance.happens(0.5) ? ACME : GLOBEX;
    const connection = this.#chance.happens(0.85) ? DATABASE : PASSWORDLESS;
    const email = this.#chance.pick(PEOPLE);
    const user = this.#stage
      .sideOf(domain)
      .enter({ connection, email, user_metadata: { theirs: "from the beginning" } });
    if (user === undefined) return undefined;
    this.#stage.books.noteUser(domain, user);
    return `${keyOf(domain, user.user_id)} ${String(email)}`;
  }

  editUser(): string | undefined {
    const found = this.#anyUser();
    if (found === undefined) return undefined;
    const { domain, user } = found;
    const changes = this.#chance.pick<JsonObject>([
      { given_name: "Drifted" },
      { blocked: this.#chance.happens(0.5) },
      { email: this.#chance.pick(PEOPLE) },
      { user_metadata: { theirs: String(++this.#edits) } },
      ...(this.#kind.areParticular ? this.#editsOfAttributes() : []),
    ]);
    if (changes === undefined || !this.#stage.sideOf(domain).edit(user.user_id, changes)) return undefined;
    this.#stage.books.noteUser(domain, { ...user, ...changes });
    this.#stage.books.lastWrites.note(keyOf(domain, user.user_id), changes, undefined);
    if (changes["email"] !== undefined) this.#stage.books.noteReaddressed(keyOf(domain, user.user_id));
    return `${keyOf(domain, user.user_id)} ${JSON.stringify(changes)}`;
  }

  #editsOfAttributes(): readonly JsonObject[] {
    const value = `theirs ${String(this.#edits)}`;
    return [{ family_name: value }, { nickname: value }, { family_name: null }, { user_metadata: { edit: value } }];
  }

  changeAssignment(): string | undefined {
    const found = this.#anyUser();
    const assignment = drawAssignment(this.#chance);
    if (found === undefined || assignment === undefined) return undefined;
    const method = this.#chance.happens(0.5) ? "POST" : "DELETE";
    this.#stage.sideOf(found.domain).assignments.change(method, found.user.user_id, assignment);
    return `${method} ${keyOf(found.domain, found.user.user_id)} ${assignment.name} of ${assignment.kind}`;
  }

  deleteUser(): string | undefined {
    const found = this.#anyUser();
    if (found === undefined) return undefined;
    this.#stage.sideOf(found.domain).drop(found.user.user_id);
    return keyOf(found.domain, found.user.user_id);
  }

  link(): string | undefined {
    const found = this.#anyUser();
    const other = found && this.#chance.pick(this.#stage.sideOf(found.domain).users());
    if (found === undefined || other === undefined || other.user_id === found.user.user_id) return undefined;
    if (!this.#stage.sideOf(found.domain).link(found.user.user_id, other.user_id)) return undefined;
    this.#isLinked = true;
    this.#stage.books.noteLink(keyOf(found.domain, found.user.user_id), this.#stage.time.nowMs);
    return `${other.user_id} into ${keyOf(found.domain, found.user.user_id)}`;
  }

  unlink(): string | undefined {
    if (!this.#isLinked) return undefined;
    const linked = [ACME, GLOBEX].flatMap((domain) =>
      this.#stage
        .sideOf(domain)
        .users()
        .filter(({ identities }) => identities.length > 1)
        .map((user) => ({ domain, user })),
    );
    const found = this.#chance.pick(linked);
    const identity = found?.user.identities.at(-1);
    if (found === undefined || identity === undefined) return undefined;
    if (!this.#stage.sideOf(found.domain).unlink(found.user.user_id, identity)) return undefined;
    this.#stage.books.noteUnlinked(keyOf(found.domain, `${identity.provider}|${identity.user_id}`));
    return `${identity.user_id} from ${keyOf(found.domain, found.user.user_id)}`;
  }

  #anyUser(): { readonly domain: string; readonly user: WireUser } | undefined {
    const domain = this.#chance.happens(0.5) ? ACME : GLOBEX;
    const user = this.#chance.pick(this.#stage.sideOf(domain).users());
    return user && { domain, user };
  }
}
