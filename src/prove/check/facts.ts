import type { FactDomain } from "../../fact-type.js";
import { INHERITED } from "../facts/declarations.js";
import type { TextPart } from "../shared/atom.js";
import { Fault, notEvaluated, type Path } from "./path.js";
import { isPrimitive, linear, Sym, unknownOf } from "./value.js";

const MOST_ELEMENTS = 0xffff_ffffn;
const INDEX = /^(?:0|[1-9]\d*)$/;

/** The value of a fact `key` of `holder`, on this path. */
export function fact(path: Path, holder: string, key: string, domain: FactDomain, own?: string): unknown {
  const name = own ?? `${holder}.${key}`;
  path.place(name, { of: holder, key });
  return valueIn(path, name, domain);
}

function valueIn(path: Path, name: string, domain: FactDomain): unknown {
  if (Object.hasOwn(path.declarations.fixed, name)) return path.declarations.fixed[name];
  switch (domain.kind) {
    case "flag":
      return path.ask({ kind: "flag", of: name });
    case "null or":
      return path.ask({ kind: "null", of: `${name}?` }) ? null : valueIn(path, name, domain.of);
    case "count":
      return integer(path, name, 0n, BigInt(domain.most));
    case "amount":
      return double(path, name, 0n);
    case "text":
      path.declare(name, { kind: "text", hex: domain.hex });
      return new Sym({ kind: "text", name });
    case "bytes":
      return new Sym({ kind: "bytes", name });
    case "list":
    case "record":
      return new Sym({ kind: domain.kind, name, of: domain.of });
    case "object":
      return new Sym({ kind: "object", name, fields: domain.fields, isSubject: false });
    case "integer or text":
      return notEvaluated("a setting");
  }
}

/** An integer within bounds. The length of instructions is a multiple of their number. */
export function integer(path: Path, name: string, least: bigint, most: bigint): Sym {
  const multiple = path.declarations.multiples.find(([its]) => its === name);
  if (multiple === undefined) {
    path.declare(name, { kind: "integer", least, most });
    return new Sym({ kind: "number", sum: { constant: 0n, of: new Map([[name, 1n]]) }, isExact: true });
  }
  const [, times, of] = multiple;
  path.place(of, { of: path.declarations.argument, key: of.slice(path.declarations.argument.length + 1) });
  path.declare(of, { kind: "integer", least, most: most / BigInt(times) });
  return new Sym({ kind: "number", sum: { constant: 0n, of: new Map([[of, BigInt(times)]]) }, isExact: true });
}

function double(path: Path, name: string, least: bigint | null): Sym {
  path.declare(name, { kind: "number", least });
  return new Sym({ kind: "number", sum: { constant: 0n, of: new Map([[name, 1n]]) }, isExact: false });
}

/** A JSON value under a key, or undefined. */
function jsonEntry(path: Path, name: string): unknown {
  return path.ask({ kind: "exists", of: `${name}!` }) ? new Sym({ kind: "json", name }) : undefined;
}

/** The value under a key of a map. Whether two keys that are not constant are equal is not examined. */
export function lookUp(path: Path, map: string, parts: readonly TextPart[]): unknown {
  const words = parts.map((part) => {
    if (typeof part === "string") return JSON.stringify(part);
    return "text" in part ? part.text : notEvaluated("a key of a map that is put together of numbers");
  });
  const name = `map_lookup(${JSON.stringify(map)},${words.join("+")})`;
  const isConstant = parts.every((part) => typeof part === "string");
  const before = path.lookups.get(map) ?? name;
  if (before !== name && !(isConstant && before === ""))
    notEvaluated("two look-ups in one map with keys that may be equal");
  path.lookups.set(map, isConstant ? "" : name);
  path.place(name, { map, parts });
  return jsonEntry(path, name);
}

/** A JSON value as what it is, on a path on which it has one type. */
export function view(path: Path, value: unknown): unknown {
  const its = unknownOf(value);
  if (its?.kind !== "json") return value;
  const { name } = its;
  const [type, ...others] = path.typesOf(name);
  if (others.length > 0) return value;
  if (type === "null") return null;
  if (type === "true" || type === "false") return type === "true";
  if (type === "number") return double(path, name, null);
  if (type !== "string") return value;
  path.declare(name, { kind: "text", hex: null });
  return new Sym({ kind: "text", name });
}

/** A JSON value on a path on which it has one type. */
export function settled(path: Path, value: unknown): unknown {
  let its = view(path, value);
  for (const type of ["number", "string", "null", "true", "false", "array"] as const) {
    const json = unknownOf(its);
    if (json?.kind !== "json" || path.typesOf(json.name).length === 1) break;
    path.askType(json.name, [type]);
    its = view(path, its);
  }
  return its;
}

export function isNullish(path: Path, value: unknown): boolean {
  const its = unknownOf(view(path, value));
  if (its === null) return view(path, value) === null || value === undefined;
  return its.kind === "json" && path.askType(its.name, ["null"]);
}

/** The property of a value that is not known. */
export function property(path: Path, value: Sym, key: string): unknown {
  const { its } = value;
  switch (its.kind) {
    case "object":
      if (Object.hasOwn(its.fields, key)) return fact(path, its.name, key, its.fields[key]!);
      if (INHERITED.object.includes(key) || key === "toJSON") return notEvaluated(`\`${key}\`, which facts inherit`);
      throw new Fault("UNKNOWN_FACT");
    case "record": {
      const name = `${its.name}[${JSON.stringify(key)}]`;
      path.place(name, { of: its.name, key });
      return path.ask({ kind: "exists", of: `${name}!` }) ? fact(path, its.name, key, its.of, name) : undefined;
    }
    case "list":
    case "bytes":
      if (key !== "length") return notEvaluated(`\`${key}\` of a list or of bytes`);
      path.place(`${its.name}.length`, { of: its.name, key });
      return integer(
        path,
        `${its.name}.length`,
        0n,
        its.kind === "list" ? MOST_ELEMENTS : BigInt(Number.MAX_SAFE_INTEGER),
      );
    case "json":
      return jsonProperty(path, its.name, key);
    default:
      return notEvaluated(`\`${key}\` of a text or number`);
  }
}

/** A property of a JSON value that is not null. What is not inherited is undefined for all types but objects. */
function jsonProperty(path: Path, of: string, key: string): unknown {
  const isInherited = Object.values(INHERITED).some((names) => (names as readonly string[]).includes(key));
  if (isInherited || INDEX.test(key) || key === "length" || key === "__proto__")
    return notEvaluated(`\`${key}\` of a value of a map`);
  if (!path.askType(of, ["object"])) return undefined;
  const name = `${of}[${JSON.stringify(key)}]`;
  path.place(name, { of, key });
  return jsonEntry(path, name);
}

/** The parts of a value as text (ToString, ECMA-262, 7.1.17). */
export function textParts(path: Path, value: unknown): readonly TextPart[] {
  const seen = settled(path, value);
  const its = unknownOf(seen);
  if (its === null) return isPrimitive(seen) ? [String(seen)] : notEvaluated("an object as a text");
  switch (its.kind) {
    case "text":
      return [{ text: its.name }];
    case "number":
      return [{ number: linear(its.sum) }];
    case "joined":
      return its.parts;
    default:
      return notEvaluated("an object as a text");
  }
}

/** A text of parts, in which constants that follow each other are one. */
export function joined(parts: readonly TextPart[]): string | Sym {
  const merged: TextPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string") merged[merged.length - 1] = last + part;
    else if (part !== "") merged.push(part);
  }
  const [only = ""] = merged;
  if (merged.length > 1) return new Sym({ kind: "joined", parts: merged });
  if (typeof only === "string") return only;
  return "text" in only ? new Sym({ kind: "text", name: only.text }) : new Sym({ kind: "joined", parts: merged });
}

/** The parts of a value that is a text; null for any other value. */
export function stringParts(path: Path, value: unknown): readonly TextPart[] | null {
  const seen = settled(path, value);
  if (typeof seen === "string") return [seen];
  const its = unknownOf(seen);
  return its?.kind === "text" || its?.kind === "joined" ? textParts(path, seen) : null;
}
