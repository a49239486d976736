/** Makes elements: text only ever as text. */

type Child = Node | string;

/** Return a new element with attributes and children. `undefined` attributes are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Set the text of `element`, and hide it where there is none. Leaves the page alone if nothing changes. */
export function setText(element: HTMLElement, text: string | null): void {
  const hidden = !text;
  if (element.hidden !== hidden) element.hidden = hidden;
  if (element.textContent !== (text ?? "")) element.textContent = text;
}
