/** The element of a page that has an id. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** The first element of a part of a page that a selector finds. */
export function part<T extends HTMLElement>(within: HTMLElement, selector: string): T {
  const element = within.querySelector<T>(selector);
  if (element === null) throw new Error(`#${within.id} has no ${selector}`);
  return element;
}

/** Makes an element. Text goes in as text, never as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The site's root, whatever page is open: every page says in data-root where it is. */
const root = new URL(document.documentElement.dataset.root ?? ".", document.baseURI);

/** The address of one of the site's files. */
export const siteUrl = (path: string): string => new URL(path, root).href;

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}\u00a0%`;

/** 269722 as "270 k", 61100840 as "61.1 M". */
export function short(count: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (count >= size) return `${Number((count / size).toPrecision(3))}\u00a0${unit}`;
  }
  return String(count);
}
