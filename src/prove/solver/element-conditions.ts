import type { Atom, EachPart, ElementCase, LinearTerm, TextPart } from "../shared/atom.js";
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
      return [atom.of, ...namesInCases(atom.where)];
    case "any":
      return namesInCases(atom.where);
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
  if ("unknown" in part) return [];
  return part.each.parts.flatMap((one) =>
    "list" in one ? [one.list] : [...namesInCases(one.where), ...one.text.flatMap(namesInPart)],
  );
}

function namesInCases(where: readonly ElementCase[]): readonly string[] {
  return where.flatMap((one) => one.flatMap(({ atom }) => namesIn(atom)));
}

type Other = (name: string) => string;

/** Gives another name to an element. */
function otherName(from: string, to: string): Other {
  return (name) => (name.startsWith(from) ? to + name.slice(from.length) : name);
}

function renamedCases(where: readonly ElementCase[], from: string, to: string): readonly ElementCase[] {
  return where.map((its) => its.map((one) => renamed(one, from, to)));
}

function renamedTerm({ constant, of }: LinearTerm, other: Other): LinearTerm {
  return { constant, of: of.map(([coefficient, name]) => [coefficient, other(name)] as const) };
}

/** A part of a text about an element with another name for it. */
export function renamedText(part: TextPart, from: string, to: string): TextPart {
  const other = otherName(from, to);
  if (typeof part === "string") return part;
  if ("text" in part) return { text: other(part.text) };
  if ("json" in part) return { json: other(part.json) };
  if ("number" in part) return { number: renamedTerm(part.number, other) };
  if ("quoted" in part) return { quoted: part.quoted.map((one) => renamedText(one, from, to)) };
  if ("stringified" in part) return { stringified: other(part.stringified) };
  if ("unknown" in part) return part;
  const texts = (text: readonly TextPart[]) => text.map((one) => renamedText(one, from, to));
  const parts = part.each.parts.map((one): EachPart => {
    if (!("list" in one)) return { where: renamedCases(one.where, from, to), text: texts(one.text) };
    const cases = one.cases.map(({ where, text }) => ({
      where: renamedCases([where], from, to)[0]!,
      text: texts(text),
    }));
    return { list: other(one.list), cases };
  });
  return { each: { ...part.each, parts } };
}

/** A condition about an element with another name for it. */
export function renamed({ atom, is }: Condition, from: string, to: string): Condition {
  const other = otherName(from, to);
  switch (atom.kind) {
    case "number":
      return { atom: { ...atom, term: renamedTerm(atom.term, other) }, is };
    case "texts": {
      const parts = (its: readonly TextPart[]) => its.map((part) => renamedText(part, from, to));
      return { atom: { ...atom, left: parts(atom.left), right: parts(atom.right) }, is };
    }
    case "same":
      return { atom: { ...atom, of: other(atom.of), other: other(atom.other) }, is };
    case "any":
      return { atom: { ...atom, where: renamedCases(atom.where, from, to) }, is };
    case "some": {
      const where = renamedCases(atom.where, from, to);
      const first = atom.first === null ? null : other(atom.first);
      return { atom: { ...atom, of: other(atom.of), where, first }, is };
    }
    default:
      return { atom: { ...atom, of: other(atom.of) }, is };
  }
}
