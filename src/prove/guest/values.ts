import { view } from "./facts.js";
import { at, notDecided, raise, test, testType, typesOf } from "./path.js";
import { isSymbol, linear, only, partsOf, Sym, type Term, termOf } from "./term.js";
import { testTexts } from "./text-tests.js";

/** Whether a value is neither a symbol, nor an object or function of the policy. */
export function isPrimitive(value: unknown): boolean {
  return (typeof value !== "object" && typeof value !== "function") || value === null;
}

/** A JSON value with one type, on the path on which it has that type. */
export function settled(value: unknown): unknown {
  let its = view(value);
  for (const type of ["number", "string", "null", "true", "false", "array"] as const) {
    const term = termOf(its);
    if (term?.k !== "json" || typesOf(term.name).length === 1) return its;
    testType(term.name, [type]);
    its = view(its);
  }
  return its;
}

/** ToBoolean (ECMA-262, 7.1.2). */
export function truthy(place: number, value: unknown): boolean {
  at(place);
  const its = view(value);
  const term = termOf(its);
  if (term === null) return Boolean(its);
  switch (term.k) {
    case "text":
      return !test({ kind: "equals", of: term.name, text: "" });
    case "integer":
      return !test({ kind: "number", term: linear(term), is: "= 0" });
    case "double":
      return !test({ kind: "number", term: only(term.name), is: "= 0" });
    case "joined":
    case "reason":
      if (term.parts.length === 1 && (term.parts[0] as Term).k === "each")
        return (term.parts[0] as Extract<Term, { k: "each" }>).isThere(place);
      return !testTexts("equal", partsOf(term.parts), []);
    case "json":
      if (testType(term.name, ["null", "false"])) return false;
      if (testType(term.name, ["true", "array", "object"])) return true;
      return truthy(place, settled(its));
    default:
      return true;
  }
}

/** Whether a value is null or undefined. */
export function isNullish(value: unknown): boolean {
  const its = view(value);
  const term = termOf(its);
  if (term === null) return its === null || its === undefined;
  return term.k === "json" && testType(term.name, ["null"]);
}

export function and(place: number, left: unknown, right: () => unknown): unknown {
  return truthy(place, left) ? right() : left;
}

export function or(place: number, left: unknown, right: () => unknown): unknown {
  return truthy(place, left) ? left : right();
}

export function nullish(place: number, left: unknown, right: () => unknown): unknown {
  at(place);
  return isNullish(left) ? right() : left;
}

export function optional(place: number, value: unknown, rest: (value: unknown) => unknown): unknown {
  at(place);
  return isNullish(value) ? undefined : rest(value);
}

export function defaulted(place: number, value: unknown, otherwise: () => unknown): unknown {
  at(place);
  return value === undefined ? otherwise() : value;
}

/** A value that is taken apart by a pattern. */
export function object(place: number, value: unknown): unknown {
  at(place);
  if (isNullish(value)) raise("TypeError", "cannot read a property of null or undefined");
  return value;
}

type TypeName = "number" | "string" | "boolean" | "object";

function typeName(term: Term): TypeName | null {
  if (term.k === "json") return null;
  if (term.k === "text" || term.k === "joined" || term.k === "reason") return "string";
  return term.k === "integer" || term.k === "double" ? "number" : "object";
}

export function typeOf(place: number, value: unknown): string {
  at(place);
  const its = settled(value);
  const term = termOf(its);
  return term === null ? typeof its : (typeName(term) ?? "object");
}

const TYPES = {
  number: ["number"],
  string: ["string"],
  boolean: ["true", "false"],
  object: ["null", "array", "object"],
} as const;

/** `typeof value === type` */
export function hasType(place: number, value: unknown, type: string): boolean {
  at(place);
  const its = view(value);
  const term = termOf(its);
  if (term === null) return typeof its === type;
  if (term.k !== "json") return typeName(term) === type;
  return Object.hasOwn(TYPES, type) && testType(term.name, TYPES[type as TypeName]);
}

/** The parts of a value as text (ToString, ECMA-262, 7.1.17), as far as that is decided. */
export function textParts(value: unknown): (string | Term)[] {
  // A text by its name, also if it is known to be a constant
  const its = termOf(value)?.k === "text" ? value : view(value);
  const term = termOf(its);
  if (term === null) {
    if (!isPrimitive(its)) notDecided("an object as a text");
    if (typeof its === "symbol") raise("TypeError", "a symbol cannot be converted to a string");
    return [String(its)];
  }
  if (term.k === "joined") return [...term.parts];
  if (term.k === "text" || term.k === "integer" || term.k === "double") return [term];
  if (term.k === "reason") return notDecided("a reason that is not constant");
  return term.k === "json" ? written(term.name) : notDecided("an object as a text");
}

/** A JSON value as text, of any type that it can have. */
function written(name: string): Term[] {
  const isSure = !typesOf(name).some((type) => type === "array" || type === "object");
  if (!isSure && !test({ kind: "written", of: name })) raise("TypeError", "`toString` is not a function");
  return [{ k: "written", name }];
}

/** A text of which nothing is known; if the policy asks about it, this is why that is not decided. */
export function unknownText(why: string): Sym {
  return new Sym({ k: "joined", parts: [{ k: "unknown", why }] });
}

export function joined(parts: readonly (string | Term)[]): string | Sym {
  const merged: (string | Term)[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string") merged[merged.length - 1] = last + part;
    else if (part !== "") merged.push(part);
  }
  if (merged.length === 0) return "";
  const [only] = merged;
  if (merged.length === 1 && typeof only === "string") return only;
  if (merged.length === 1 && (only as Term).k === "text") return new Sym(only as Term);
  // By itself, a value of a map is the text that it is, or another one with its type
  if (merged.length === 1 && (only as Term).k === "written") return alone((only as { readonly name: string }).name);
  return new Sym({ k: "joined", parts: merged });
}

function alone(name: string): string | Sym {
  const its = settled(new Sym({ k: "json", name }));
  if (termOf(its)?.k === "json") return new Sym({ k: "joined", parts: [{ k: "written", name }] });
  return joined(textParts(its));
}

export function template(place: number, texts: readonly string[], values: readonly unknown[]): string | Sym {
  at(place);
  const parts: (string | Term)[] = [texts[0]!];
  for (let index = 0; index < values.length; index++) parts.push(...textParts(values[index]), texts[index + 1]!);
  return joined(parts);
}

/** A text for the host: the parts of a string or of a symbol that is one. Null for any other value. */
export function stringParts(value: unknown): ReturnType<typeof partsOf> | null {
  const its = settled(value);
  if (typeof its === "string") return [its];
  const term = termOf(its);
  if (term?.k === "text") return partsOf([term]);
  return term?.k === "joined" ? partsOf(term.parts) : null;
}

/** Whether a value has no symbol in it: a primitive, or an array of primitives. */
export function isConcrete(value: unknown): boolean {
  if (isPrimitive(value)) return true;
  if (isSymbol(value) || !Array.isArray(value)) return false;
  for (let index = 0; index < value.length; index++) if (!isPrimitive(value[index])) return false;
  return true;
}
