/** The most characters of a value as JSON that an explanation has. */
const MAX_VALUE = 2000;

/**
 * The value of a fact by its path, such as `effects.read_only`. Elements of an array have the path of the array, so
 * that a path through one has a list of values. Keys can contain dots. Undefined if there is none.
 */
export function factAt(facts: unknown, path: string): unknown {
  if (path === "") return facts;
  if (Array.isArray(facts)) return facts.map((one) => factAt(one, path));
  if (typeof facts !== "object" || facts === null) return undefined;
  if (Object.hasOwn(facts, path)) return (facts as Record<string, unknown>)[path];
  for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1)) {
    const key = path.slice(0, dot);
    if (Object.hasOwn(facts, key)) return factAt((facts as Record<string, unknown>)[key], path.slice(dot + 1));
  }
  return undefined;
}

/** The value, or for a long one the beginning of its JSON. */
export function shortened(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "";
  return text.length <= MAX_VALUE ? value : `${text.slice(0, MAX_VALUE)}… (${text.length} characters)`;
}
