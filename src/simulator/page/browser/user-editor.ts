/** One user, looked at and changed as a person in a dashboard does: only what was changed is sent. */
import { ask, endNotice, Refused } from "./ask.ts";
import { find, onClick, run, show } from "./elements.ts";

export type User = Readonly<Record<string, unknown>> & { readonly user_id: string };

const dialog = find("#editor", HTMLDialogElement);
const form = find("#user-form", HTMLFormElement);
const remove = find("#delete-user", HTMLButtonElement);
const problem = find("#editor-problem", HTMLElement);

const TEXTS = ["email", "username", "name", "nickname", "given_name", "family_name"];
const FLAGS = ["email_verified", "blocked"];
const METADATA = ["user_metadata", "app_metadata"];

let opened: User | undefined;
let tellEdited: () => Promise<void> = () => Promise.resolve();

/** Called after each change. */
export function onEdited(listener: () => Promise<void>): void {
  tellEdited = listener;
}

/** @param user undefined: a new one */
export function editUser(user: User | undefined): void {
  opened = user;
  show("#editor-title", user ? "User" : "New user");
  show("#editor-id", user?.user_id ?? "In the tenant's first connection");
  for (const name of TEXTS) field(name).value = textOf(user, name);
  for (const name of FLAGS) box(name).checked = user?.[name] === true;
  for (const name of METADATA) field(name).value = metadataOf(user, name);
  remove.hidden = !user;
  remove.textContent = "Delete";
  problem.hidden = true;
  dialog.showModal();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(() =>
    change(async () => {
      const changes = changesOf(opened);
      if (!opened) await ask("POST", "users", changes);
      else if (Object.keys(changes).length > 0)
        await ask("PATCH", `users/${encodeURIComponent(opened.user_id)}`, changes);
    }),
  );
});

/** Asks once more in its own words: there is no undo. */
remove.addEventListener("click", () => {
  if (remove.textContent === "Delete") {
    remove.textContent = "Really delete?";
    return;
  }
  run(() =>
    change(async () => {
      await ask("DELETE", `users/${encodeURIComponent(opened?.user_id ?? "")}`);
    }),
  );
});

onClick("#close-editor", () => {
  dialog.close();
});

/** The list may have been drawn anew meanwhile, without the very row that the dialog gives the focus back to. */
dialog.addEventListener("close", () => {
  if (opened) document.querySelector<HTMLElement>(`#user-list [data-id="${CSS.escape(opened.user_id)}"]`)?.focus();
});

/** Closes the dialog when it is done; what is refused is said in it. */
async function change(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
    endNotice(); // Said in the dialog.
    return;
  }
  dialog.close();
  await tellEdited();
}

/** Emptied fields become null, which removes; in metadata, keys that are gone do. */
function changesOf(user: User | undefined): Readonly<Record<string, unknown>> {
  const changes: Record<string, unknown> = {};
  for (const name of TEXTS) {
    const { value } = field(name);
    if (value !== textOf(user, name)) changes[name] = value === "" ? null : value;
  }
  for (const name of FLAGS) {
    if (box(name).checked !== (user?.[name] === true)) changes[name] = box(name).checked;
  }
  for (const name of METADATA) {
    const { value } = field(name);
    if (value !== metadataOf(user, name)) changes[name] = { ...nullsFor(user?.[name]), ...parsedMetadata(name, value) };
  }
  return changes;
}

function parsedMetadata(name: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new Refused(`${name.replace("_", " ")} must be a JSON object`);
}

function nullsFor(metadata: unknown): object {
  return Object.fromEntries(Object.keys(metadata ?? {}).map((key) => [key, null]));
}

function textOf(user: User | undefined, name: string): string {
  const value = user?.[name];
  return typeof value === "string" ? value : "";
}

function metadataOf(user: User | undefined, name: string): string {
  const value = user?.[name];
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

function field(name: string): HTMLInputElement | HTMLTextAreaElement {
  const element = form.elements.namedItem(name);
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element;
  throw new Error(`the form has no field ${name}`);
}

function box(name: string): HTMLInputElement {
  const element = field(name);
  if (element instanceof HTMLInputElement) return element;
  throw new Error(`${name} is no checkbox`);
}
