import type { Condition } from "../solver/condition.js";
import type { Knowledge } from "../solver/solver.js";

/** What is known of the values that conditions name. */
export interface KnownValues {
  /** The names in the key of a look-up, by the name of the value that it gives. */
  keysOf(name: string): readonly string[];
  /** The conditions that hold if there is a number of a name; null if they are not known. */
  guardsOf(name: string): readonly Condition[] | null;
}

/** Nothing is known of elements of lists. */
export const UNKNOWN_VALUES: KnownValues = { keysOf: () => [], guardsOf: () => null };

/** What an exploration knows. */
export function knownValues({ origins, symbols }: Pick<Knowledge, "origins" | "symbols">): KnownValues {
  const marked = [...symbols.keys()]
    .filter((name) => /[?!]$/.test(name))
    .map((name) => [name.slice(0, -1), name] as const);
  const json = [...symbols].flatMap(([name, { kind }]) =>
    kind === "json" || kind === "integer or text" ? [name] : [],
  );
  const guards = new Map<string, readonly Condition[] | null>();
  const find = (name: string): readonly Condition[] | null => {
    const domain = symbols.get(name);
    if (domain === undefined && !origins.has(name)) return null;
    const own = marked.filter(([whole]) => name.includes(whole));
    const values = json.filter((one) => hasWhole(name, one));
    const there = own.map(([, mark]): Condition => {
      return mark.endsWith("?")
        ? { atom: { kind: "null", of: mark }, is: false }
        : { atom: { kind: "exists", of: mark }, is: true };
    });
    const numbers = values.map((of): Condition => ({ atom: { kind: "type", of, among: ["number"] }, is: true }));
    return [...there, ...numbers];
  };
  return {
    keysOf: (name) => {
      for (const [root, origin] of origins)
        if (origin.kind === "lookup" && name.startsWith(root))
          return origin.key.flatMap((part) => (typeof part === "object" && "text" in part ? part.text : []));
      return [];
    },
    guardsOf: (name) => {
      if (!guards.has(name)) guards.set(name, find(name));
      return guards.get(name)!;
    },
  };
}

/** Whether a name has another one in it, and not as that of an object of which it names a property. */
function hasWhole(name: string, value: string): boolean {
  for (let at = name.indexOf(value); at >= 0; at = name.indexOf(value, at + 1))
    if (!/^[.[]/.test(name.slice(at + value.length))) return true;
  return false;
}
