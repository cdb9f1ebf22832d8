/** Building elements without markup in strings: what comes from outside can only ever become text. */

type Child = Node | string;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element. An attribute that is `false` or undefined is left out, `true` is set empty, or as a word for ARIA. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** An SVG element, in the same way. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** The element that the page's own markup gives this id. Throws where it is missing or of another sort. */
export function byId<Sort extends Element>(id: string, sort: new () => Sort): Sort {
  const element = document.getElementById(id);
  if (element instanceof sort) return element;
  throw new Error(`the page has no ${sort.name} #${id}`);
}

/** Sets a text only when it changed: an unchanged one must not be announced, selected away or laid out again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Replaces the children only when `key` changed, so that a redraw each second keeps focus and selection. */
export function fill(element: Element, key: unknown, children: () => readonly Child[]): void {
  const text = JSON.stringify(key);
  if (filled.get(element) === text) return;
  filled.set(element, text);
  element.replaceChildren(...children());
}

const filled = new WeakMap<Element, string>();

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true && !name.startsWith('aria-') ? '' : String(value));
  }
}
