type Attributes = Readonly<Record<string, string>>;
type Child = Node | string;

/** Makes an element. Strings become text nodes, so that HTML in them shows as text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function button(label: Child, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", onClick);
  return made;
}

const FORMAT = new Intl.NumberFormat("en-GB");

/** A number with commas between thousands. */
export function number(value: number): string {
  return FORMAT.format(value);
}
