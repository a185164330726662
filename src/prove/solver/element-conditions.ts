import type { Atom } from "../shared/atom.js";
import type { Condition } from "./condition.js";

/** The names of symbols in a condition. */
export function namesIn(atom: Atom): readonly string[] {
  switch (atom.kind) {
    case "number":
      return atom.term.of.map(([, name]) => name);
    case "same":
      return [atom.of, atom.other];
    case "some":
      return [atom.of, ...atom.where.flatMap((one) => one.flatMap(({ atom: inner }) => namesIn(inner)))];
    default:
      return [atom.of];
  }
}

/** A condition about an element with another name for it. */
export function renamed({ atom, is }: Condition, from: string, to: string): Condition {
  const other = (name: string) => (name.startsWith(from) ? to + name.slice(from.length) : name);
  switch (atom.kind) {
    case "number": {
      const of = atom.term.of.map(([coefficient, name]) => [coefficient, other(name)] as const);
      return { atom: { ...atom, term: { ...atom.term, of } }, is };
    }
    case "same":
      return { atom: { ...atom, of: other(atom.of), other: other(atom.other) }, is };
    case "some": {
      const where = atom.where.map((its) => its.map((one) => renamed(one, from, to)));
      const first = atom.first === null ? null : other(atom.first);
      return { atom: { ...atom, of: other(atom.of), where, first }, is };
    }
    default:
      return { atom: { ...atom, of: other(atom.of) }, is };
  }
}
