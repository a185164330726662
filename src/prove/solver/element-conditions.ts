import type { Atom, LinearTerm, TextPart } from "../shared/atom.js";
import type { Condition } from "./condition.js";

/** The names of symbols in a condition. */
export function namesIn(atom: Atom): readonly string[] {
  switch (atom.kind) {
    case "number":
      return atom.term.of.map(([, name]) => name);
    case "same":
      return [atom.of, atom.other];
    case "texts":
      return [...atom.left, ...atom.right].flatMap(namesInPart);
    case "some":
      return [atom.of, ...atom.where.flatMap((one) => one.flatMap(({ atom: inner }) => namesIn(inner)))];
    default:
      return [atom.of];
  }
}

function namesInPart(part: TextPart): readonly string[] {
  if (typeof part === "string") return [];
  if ("text" in part) return [part.text];
  if ("json" in part) return [part.json];
  if ("number" in part) return part.number.of.map(([, name]) => name);
  if ("quoted" in part) return part.quoted.flatMap(namesInPart);
  if ("stringified" in part) return [part.stringified];
  return [part.each.list];
}

/** A condition about an element with another name for it. */
export function renamed({ atom, is }: Condition, from: string, to: string): Condition {
  const other = (name: string) => (name.startsWith(from) ? to + name.slice(from.length) : name);
  switch (atom.kind) {
    case "number":
      return { atom: { ...atom, term: renamedTerm(atom.term, other) }, is };
    case "texts": {
      const parts = (its: readonly TextPart[]) => its.map((part) => renamedPart(part, other));
      return { atom: { ...atom, left: parts(atom.left), right: parts(atom.right) }, is };
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

function renamedTerm({ constant, of }: LinearTerm, other: (name: string) => string): LinearTerm {
  return { constant, of: of.map(([coefficient, name]) => [coefficient, other(name)] as const) };
}

function renamedPart(part: TextPart, other: (name: string) => string): TextPart {
  if (typeof part === "string" || "each" in part) return part;
  if ("text" in part) return { text: other(part.text) };
  if ("quoted" in part) return { quoted: part.quoted.map((one) => renamedPart(one, other)) };
  if ("stringified" in part) return { stringified: other(part.stringified) };
  return "json" in part ? { json: other(part.json) } : { number: renamedTerm(part.number, other) };
}
