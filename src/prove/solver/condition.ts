import type { Atom } from "../shared/atom.js";

/** An atom or its negation. */
export interface Condition {
  readonly atom: Atom;
  readonly is: boolean;
}

const keys = new WeakMap<Atom, string>();

/** The JSON of an atom, which is the same for equal ones. It is made once for each object. */
export function keyOf(atom: Atom): string {
  let key = keys.get(atom);
  if (key === undefined) {
    key = JSON.stringify(atom);
    keys.set(atom, key);
  }
  return key;
}

/** Whether all conditions are the same but the last one, which is true in one list and false in the other. */
export function differInLast(one: readonly Condition[], other: readonly Condition[]): boolean {
  if (one.length !== other.length || one.length === 0) return false;
  return one.every(({ atom, is }, index) => {
    const its = other[index]!;
    const isLast = index === one.length - 1;
    return (is === its.is) === !isLast && keyOf(atom) === keyOf(its.atom);
  });
}

/** The name of the flag that an atom is about; null for an atom about a text, a number or a type. */
export function flagOf(atom: Atom): string | null {
  switch (atom.kind) {
    case "flag":
    case "null":
    case "exists":
      return atom.of;
    case "written":
      return `${atom.of} as text`;
    default:
      return null;
  }
}
