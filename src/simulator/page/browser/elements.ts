/** Small hands for the document. Text is always text: nothing that a user is called becomes markup. */

/** The one element that the page's HTML has for this; its absence is a bug of the page. */
export function find<E extends HTMLElement>(selector: string, kind: new () => E): E {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} ${selector}`);
}

/** Sets the text of an element, where it differs: what is read aloud is not read again. */
export function show(selector: string, text: string): void {
  const element = find(selector, HTMLElement);
  if (element.textContent !== text) element.textContent = text;
}

/** @param className of several words if need be */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** Runs `action` at each click; what goes wrong has been shown by `ask`. */
export function onClick(selector: string, action: () => void | Promise<void>): void {
  find(selector, HTMLElement).addEventListener("click", () => {
    run(action);
  });
}

export function run(action: () => void | Promise<void>): void {
  Promise.resolve()
    .then(action)
    .catch(() => {});
}
