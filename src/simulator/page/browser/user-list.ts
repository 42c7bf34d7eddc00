/** The users: found as one types, opened with a click or a key. */
import { ask } from "./ask.ts";
import { find, make, onClick, run, show } from "./elements.ts";
import { editUser, onEdited, type User } from "./user-editor.ts";

/** More are found by searching. */
const SHOWN = 50;

/** Typing is over when nothing came for as long. */
const PAUSE_MS = 150;

const list = find("#user-list", HTMLUListElement);
const search = find("#search", HTMLInputElement);
let count = 0;
let shown = 0;
let asked = 0;

export async function listUsers(): Promise<void> {
  const mine = ++asked;
  const { body: users, total } = await ask<readonly User[]>(
    "GET",
    `users?limit=${String(SHOWN)}&search=${encodeURIComponent(search.value)}`,
  );
  if (mine !== asked) return; // A later question has been asked meanwhile.
  count = total;
  shown = users.length;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["id"] : undefined;
  list.replaceChildren(...users.map(row));
  if (focused !== undefined) list.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  showUserCount();
}

export function showUserCount(): void {
  const users = count === 1 ? "user" : "users";
  const what = search.value === "" ? users : `${users} with “${search.value}”`;
  const all = `${count.toLocaleString("en")} ${what}`;
  show(
    "#user-count",
    count === 0 ? `No ${what}.` : shown < count ? `The newest ${String(shown)} of ${all}.` : `${all}.`,
  );
}

function row(user: User): HTMLLIElement {
  const name = textOf(user, "name") ?? user.user_id;
  const email = textOf(user, "email") ?? textOf(user, "phone_number") ?? textOf(user, "username") ?? "";
  const badges: HTMLElement[] = [];
  if (user["blocked"] === true) badges.push(make("span", "badge bad", "blocked"));
  else if (user["email_verified"] === false) badges.push(make("span", "badge warn", "unverified"));
  const initials = make("span", "initials", initialsOf(name));
  initials.setAttribute("aria-hidden", "true");
  const who = make("span", "who", make("strong", "", name), make("span", "", name === email ? user.user_id : email));
  const button = make("button", "", initials, who, make("span", "", ...badges));
  button.type = "button";
  button.dataset["id"] = user.user_id;
  button.addEventListener("click", () => {
    run(async () => {
      editUser((await ask<User>("GET", `users/${encodeURIComponent(user.user_id)}`)).body);
    });
  });
  return make("li", "", button);
}

function textOf(user: User, name: string): string | undefined {
  const value = user[name];
  return typeof value === "string" ? value : undefined;
}

function initialsOf(name: string): string {
  const words = name.split(/[\s.@_-]+/).filter((word) => word !== "");
  return words
    .slice(0, 2)
    .map((word) => Array.from(word)[0]?.toUpperCase() ?? "")
    .join("");
}

let pause: ReturnType<typeof setTimeout> | undefined;
search.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => {
    run(listUsers);
  }, PAUSE_MS);
});

onEdited(listUsers);

onClick("#add-user", () => {
  editUser(undefined);
});

const file = find("#import", HTMLInputElement);
file.addEventListener("change", () => {
  run(async () => {
    const [chosen] = file.files ?? [];
    file.value = "";
    if (chosen) await ask("PUT", "state", JSON.parse(await chosen.text()));
  });
});
