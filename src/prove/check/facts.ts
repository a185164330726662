import { type FactDomain, LARGEST_AMOUNT } from "../../fact-type.js";
import { INHERITED } from "../facts/declarations.js";
import { JSON_TYPES, type JsonDomain, type TextPart } from "../shared/atom.js";
import { entryOfObject, type JsonEntry, jsonDomain } from "../shared/json-domain.js";
import { canHaveKey, knownMap } from "../shared/known-maps.js";
import { lookupName } from "../shared/lookup-name.js";
import { measureName, stepName, type TextMeasure, type TextStep } from "../shared/text-step.js";
import { numberText } from "../shared/value-text.js";
import { type Domain, notEvaluated, type Path, type Place, raise, Stop } from "./path.js";
import { isPrimitive, linear, Plain, Sym, unknownOf } from "./value.js";

export const MOST_ELEMENTS = 0xffff_ffffn;
const MOST_INTEGER = BigInt(Number.MAX_SAFE_INTEGER);
const INDEX = /^(?:0|[1-9]\d*)$/;

type OfDomain<K> = (path: Path, name: string, domain: Extract<FactDomain, { readonly kind: K }>) => unknown;

/** The value of a fact on a path, by the kind of its domain. */
const OF_DOMAINS: { readonly [K in FactDomain["kind"]]: OfDomain<K> } = {
  flag: (path, name) => path.ask({ kind: "flag", of: name }),
  "null or": (path, name, { of }) => (path.ask({ kind: "null", of: `${name}?` }) ? null : valueIn(path, name, of)),
  "unknown or": (path, name, { of }) => {
    if (path.ask({ kind: "exists", of: `${name}!` })) return valueIn(path, name, of);
    throw new Stop({ fault: "UNKNOWN_FACT" });
  },
  count: (path, name, { most }) => integer(path, name, 0n, BigInt(most)),
  amount: (path, name) => integer(path, name, 0n, BigInt(LARGEST_AMOUNT)),
  text: (path, name, { hex }) => text(path, name, hex),
  bytes: (_, name) => new Sym({ kind: "bytes", name }),
  list: (_, name, { kind, of }) => new Sym({ kind, name, of }),
  record: (_, name, { kind, of }) => new Sym({ kind, name, of }),
  object: (_, name, { fields }) => new Sym({ kind: "object", name, fields, isSubject: false }),
  "integer or text": () => notEvaluated("a setting"),
};

export function valueIn(path: Path, name: string, domain: FactDomain): unknown {
  const { fixed } = path.declarations;
  return Object.hasOwn(fixed, name) ? fixed[name] : (OF_DOMAINS[domain.kind] as OfDomain<unknown>)(path, name, domain);
}

export function text(path: Path, name: string, hex: number | null): Sym {
  path.symbols.domains.set(name, { kind: "text", hex });
  return new Sym({ kind: "text", name });
}

export function number(path: Path, name: string, domain: Domain, times = 1n): Sym {
  path.symbols.domains.set(name, domain);
  return new Sym({ kind: "number", sum: { constant: 0n, of: new Map([[name, times]]) } });
}

/** An integer within bounds. The length of instructions is a multiple of their number. */
export function integer(path: Path, name: string, least: bigint, most: bigint): Sym {
  const { argument, multiples } = path.declarations;
  const multiple = multiples.find(([its]) => its === name);
  if (multiple === undefined) return number(path, name, { kind: "integer", least, most });
  const [times, of] = [BigInt(multiple[1]), multiple[2]];
  path.symbols.places.set(of, { of: argument, key: of.slice(argument.length + 1) });
  return number(path, of, { kind: "integer", least, most: most / times }, times);
}

/** The most units of a text, and parts between them. */
const MOST_UNITS = 0xffff_ffffn;

/** A number that is found in a text. */
export function measured(path: Path, of: string, measure: TextMeasure, least: bigint): Sym {
  const name = measureName(of, measure);
  path.symbols.places.set(name, { of, measure });
  return number(path, name, { kind: "integer", least, most: MOST_UNITS });
}

/** A part of a text that is found by a step. */
export function partOfText(path: Path, of: string, step: TextStep): Sym {
  const name = stepName(of, step);
  path.symbols.places.set(name, { of, step });
  return text(path, name, null);
}

/** The value at a place; undefined if there is none. */
function entry(path: Path, name: string, place: Place, value: () => unknown): unknown {
  path.symbols.places.set(name, place);
  return path.ask({ kind: "exists", of: `${name}!` }) ? value() : undefined;
}

/** The JSON value at a place, of which schemas say what it is and whether it is there. */
function jsonEntry(path: Path, name: string, place: Place, { presence, schemas }: JsonEntry): unknown {
  if (presence === "never") return undefined;
  path.symbols.schemas.set(name, schemas);
  const value = () => new Sym({ kind: "json", name });
  if (presence === "maybe") return entry(path, name, place, value);
  path.symbols.places.set(name, place);
  return value();
}

/**
 * The value under a key of a map. Look-ups in one map under different keys are evaluated only if all are constant:
 * other keys may be equal.
 */
export function lookUp(path: Path, map: string, parts: readonly TextPart[]): unknown {
  const name = lookupName(map, parts) ?? notEvaluated("this key of a map");
  const known = knownMap(path.names.known ?? {}, map);
  if (known.contents !== undefined) return constantEntry(path, known.contents.entries, parts);
  const schemas = known.values === undefined ? [] : [known.values];
  const [part = "", ...others] = parts;
  const isImpossible = typeof part === "string" && others.length === 0 && !canHaveKey(known, part);
  if (isImpossible || jsonDomain(schemas).types.length === 0) return undefined;
  const isConstant = parts.every((part) => typeof part === "string");
  const before = path.lookups.get(map) ?? name;
  if (before !== name && !(isConstant && before === ""))
    notEvaluated("two look-ups in one map with keys that may be equal");
  path.lookups.set(map, isConstant ? "" : name);
  return jsonEntry(path, name, { map, parts }, { presence: "maybe", schemas });
}

/** An entry of a map whose contents are known. A key that is not known is compared with each of the map's. */
function constantEntry(path: Path, entries: Readonly<Record<string, unknown>>, parts: readonly TextPart[]): unknown {
  const [part = "", ...others] = parts;
  if (others.length > 0 || (typeof part !== "string" && !("text" in part))) return notEvaluated("this key of a map");
  const isKey = (key: string) => (typeof part === "string" ? key === part : isText(path, part.text, key));
  const found = Object.entries(entries).find(([key]) => isKey(key));
  return found === undefined ? undefined : written(found[1]);
}

function isText(path: Path, of: string, text: string): boolean {
  return path.ask({ kind: "equals", of, text });
}

/** A JSON value as one that the policy wrote. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  const properties = Object.entries(value).map(([name, one]) => [name, () => written(one)] as const);
  return new Plain(new Map(properties), true);
}

/** A JSON value as what it is, on a path on which it has one type. */
export function view(path: Path, value: unknown): unknown {
  const its = unknownOf(value);
  if (its?.kind === "accumulated")
    return notEvaluated("a variable that a loop over a list changes, in the loop or after it");
  if (its?.kind !== "json") return value;
  const { name } = its;
  const [type, ...others] = path.typesOf(name);
  if (others.length > 0) return value;
  if (type === "null") return null;
  if (type === "true" || type === "false") return type === "true";
  const domain = jsonDomain(path.symbols.schemas.get(name) ?? []);
  if (type === "number") return jsonNumber(path, name, domain);
  return type === "string" ? jsonText(path, name, domain) : value;
}

function jsonNumber(path: Path, name: string, { numbers, isInteger, ...bounds }: JsonDomain): unknown {
  if (numbers?.length === 1) return numbers[0];
  const least = bounds.least === null ? null : BigInt(Math.floor(bounds.least));
  const most = bounds.most === null ? null : BigInt(Math.ceil(bounds.most));
  const values = numbers === null ? {} : { values: numbers };
  const isBounded = least !== null && most !== null && least >= -MOST_INTEGER && most <= MOST_INTEGER;
  if (isInteger && isBounded) return number(path, name, { kind: "integer", least, most, ...values });
  return number(path, name, { kind: "number", least, most, ...values });
}

function jsonText(path: Path, name: string, { texts }: JsonDomain): unknown {
  if (texts?.length === 1) return texts[0];
  const its = text(path, name, null);
  if (texts !== null) path.symbols.domains.set(name, { kind: "text", hex: null, values: texts });
  return its;
}

/** A JSON value on a path on which it has one type. */
export function settled(path: Path, value: unknown): unknown {
  const its = unknownOf(view(path, value));
  if (its?.kind === "json") JSON_TYPES.find((type) => path.askType(its.name, [type]));
  return view(path, value);
}

export function isNullish(path: Path, value: unknown): boolean {
  const seen = view(path, value);
  const its = unknownOf(seen);
  return seen === null || seen === undefined || (its?.kind === "json" && path.askType(its.name, ["null"]));
}

/** The property of a value that is not known. */
export function property(path: Path, { its }: Sym, key: string): unknown {
  if (its.kind === "json") return jsonProperty(path, its.name, key);
  if (its.kind === "object") {
    if (INHERITED.object.includes(key) || key === "toJSON") return notEvaluated(`\`${key}\`, which facts inherit`);
    if (!Object.hasOwn(its.fields, key)) throw new Stop({ fault: "UNKNOWN_FACT" });
    path.symbols.places.set(`${its.name}.${key}`, { of: its.name, key });
    return valueIn(path, `${its.name}.${key}`, its.fields[key]!);
  }
  if (its.kind === "record") {
    const name = `${its.name}[${JSON.stringify(key)}]`;
    return entry(path, name, { of: its.name, key }, () => valueIn(path, name, its.of));
  }
  const isText = its.kind === "text" || its.kind === "joined";
  if (its.kind === "text" && key === "length") return measured(path, its.name, { measure: "length" }, 0n);
  if ((isText && !isInheritedBy("string", key)) || (its.kind === "number" && !isInheritedBy("number", key)))
    return undefined;
  if ((its.kind !== "list" && its.kind !== "bytes") || key !== "length")
    return notEvaluated(`\`${key}\` of this value`);
  path.symbols.places.set(`${its.name}.length`, { of: its.name, key });
  return integer(path, `${its.name}.length`, 0n, its.kind === "list" ? MOST_ELEMENTS : MOST_INTEGER);
}

/** Whether a value of a type may have or inherit a property of this name, apart from own ones of an object. */
export function isInheritedBy(type: keyof typeof INHERITED, key: string): boolean {
  const isOfPlaces = (type === "string" || type === "array") && (key === "length" || INDEX.test(key));
  return isOfPlaces || key === "__proto__" || (INHERITED[type] as readonly string[]).includes(key);
}

/** A property of a JSON value that is not null. What is not inherited is undefined for all types but objects. */
function jsonProperty(path: Path, of: string, key: string): unknown {
  const isInherited = (Object.keys(INHERITED) as (keyof typeof INHERITED)[]).some((type) => isInheritedBy(type, key));
  const isObject = path.typesOf(of).every((type) => type === "object");
  if (isObject ? isInheritedBy("object", key) : isInherited) return notEvaluated(`\`${key}\` of a value of a map`);
  if (!path.askType(of, ["object"])) return undefined;
  const its = entryOfObject(path.symbols.schemas.get(of) ?? [], key);
  return jsonEntry(path, `${of}[${JSON.stringify(key)}]`, { of, key }, its);
}

/** The parts of a value as text (ToString, ECMA-262, 7.1.17). */
export function textParts(path: Path, value: unknown): readonly TextPart[] {
  const seen = settled(path, value);
  const its = unknownOf(seen);
  if (isPrimitive(seen)) return [typeof seen === "number" ? numberText(seen) : String(seen)];
  if (its?.kind === "json") return writtenParts(path, its.name);
  if (its?.kind === "text") return [{ text: its.name }];
  if (its?.kind === "number") return [{ number: linear(its.sum) }];
  return its?.kind === "joined" ? its.parts : notEvaluated("an object as a text");
}

/** An array or object of a map as a text: an error, unless no object in it has a property `toString`. */
function writtenParts(path: Path, name: string): readonly TextPart[] {
  if (!path.ask({ kind: "written", of: name })) return raise();
  return path.typesOf(name)[0] === "object" ? ["[object Object]"] : [{ json: name }];
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
