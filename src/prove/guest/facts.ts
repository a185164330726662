import { type FactDomain, LARGEST_AMOUNT } from "../../fact-type.js";
import { ANY_NUMBER, type Range } from "../arithmetic/range.js";
import { JSON_TYPES, type JsonType, nullOrAbsent, type Origin, type TextPart } from "../shared/atom.js";
import {
  beginning,
  constantOf,
  declare,
  fault,
  knownValue,
  notDecided,
  originate,
  restrict,
  setKnownValue,
  test,
  testType,
  typesOf,
} from "./path.js";
import { only, Sym, type Term, termOf } from "./term.js";
import { testTexts } from "./text-tests.js";

/** Symbols by name: the same fact is the same symbol. */
const symbols = new Map<string, Sym>();

export function symbol(name: string, term: Term): Sym {
  let its = symbols.get(name);
  if (its === undefined) {
    its = new Sym(term);
    symbols.set(name, its);
  }
  return its;
}

const MULTIPLES = new Map(beginning.multiples.map(([name, times, of]) => [name, { times, of }]));

const MOST_AMOUNT = BigInt(LARGEST_AMOUNT);

function double(name: string, range: Range): Term {
  return { k: "double", name, expression: only(name), range };
}

/** The value of a fact: a symbol, or `true`, `false` or null on the path on which the fact is that. */
export function factOf(name: string, domain: FactDomain): unknown {
  if (Object.hasOwn(beginning.fixed, name)) return beginning.fixed[name];
  switch (domain.kind) {
    case "flag":
      declare(name, { kind: "flag" });
      return test({ kind: "flag", of: name });
    case "unknown or":
      if (isKnown(name)) return factOf(name, domain.of);
      return fault("UNKNOWN_FACT", `the fact \`${name.slice(name.lastIndexOf(".") + 1)}\`, which is unknown here`);
    case "null or":
      declare(`${name}?`, { kind: "null" });
      return test({ kind: "null", of: `${name}?` }) ? null : factOf(name, domain.of);
    case "count":
      return integer(name, 0n, BigInt(domain.most));
    case "amount":
      declare(name, { kind: "integer", least: "0", most: String(MOST_AMOUNT) });
      return symbol(name, double(name, { least: 0n, most: MOST_AMOUNT, isInteger: true }));
    case "text":
      declare(name, domain);
      return symbol(name, { k: "text", name });
    case "integer or text":
      declare(name, { kind: "integer or text" });
      restrict(name, ["number", "string"]);
      return symbol(name, { k: "json", name });
    case "bytes":
      return symbol(name, { k: "bytes", name });
    case "list":
      declare(name, { kind: "list" });
      return symbol(name, { k: "list", name, of: domain.of });
    case "record":
      return symbol(name, { k: "record", name, of: domain.of });
    case "object":
      return symbol(name, {
        ...{ k: "object", name, fields: domain.fields, isSubject: false, declared: domain.declared },
      });
  }
}

/** Whether a fact that can be unknown is known on this path. */
export function isKnown(name: string): boolean {
  declare(`${name}!`, { kind: "exists" });
  return test({ kind: "exists", of: `${name}!` });
}

/** An integer symbol. A length of bytes is a multiple of the number of instructions. */
export function integer(name: string, least: bigint, most: bigint): Sym {
  const multiple = MULTIPLES.get(name);
  const [of, times] = multiple === undefined ? [name, 1n] : [multiple.of, BigInt(multiple.times)];
  const bound = most / times;
  declare(of, { kind: "integer", least: String(least), most: String(bound) });
  const summand = { coefficient: times, least, most: bound };
  return symbol(name, { k: "integer", constant: 0n, of: new Map([[of, summand]]) });
}

/** A value of a record such as labels; undefined on the path on which it does not have the key. */
export function entryOf(name: string, of: FactDomain, key: string): unknown {
  const entry = `${name}[${JSON.stringify(key)}]`;
  return isKnown(entry) ? factOf(entry, of) : undefined;
}

/** A JSON value that a map or an object may have under a key; undefined on the path on which it has not. */
export function jsonEntry(name: string): unknown {
  declare(`${name}!`, { kind: "exists" });
  if (!test({ kind: "exists", of: `${name}!` })) return undefined;
  declare(name, { kind: "json" });
  return symbol(name, { k: "json", name });
}

/** Whether a map or an object has null or no value under a key, which is one condition if neither is known. */
function isNullOrAbsent(name: string): boolean {
  const exists = { kind: "exists", of: `${name}!` } as const;
  const isThere = knownValue(exists);
  if (isThere !== undefined) return !isThere || testType(name, ["null"]);
  declare(exists.of, { kind: "exists" });
  declare(name, { kind: "json" });
  if (test(nullOrAbsent(name))) return true;
  setKnownValue(exists, true);
  restrict(name, NOT_NULL);
  return false;
}

const NOT_NULL: readonly JsonType[] = JSON_TYPES.filter((type) => type !== "null");

type Key = readonly TextPart[];

/** The keys that were looked up in each map, with the names of their values. */
const looked = new Map<string, { readonly name: string; readonly key: Key }[]>();

/** Maps that the policy has written to on this path. */
export const writtenMaps = new Set<string>();

/** The value of a key in a map. */
export function lookUp(map: string, key: Key): unknown {
  return jsonEntry(entryName(map, key));
}

/** `map_lookup(map, key) ?? otherwise()`: null and absent are one condition. */
export function lookUpOr(map: string, key: Key, otherwise: () => unknown): unknown {
  const name = entryName(map, key);
  return isNullOrAbsent(name) ? otherwise() : jsonEntry(name);
}

/** The name of the value of a key in a map: that of an earlier look-up if the keys are equal on this path. */
function entryName(map: string, key: Key): string {
  if (writtenMaps.has(map)) return notDecided("a look-up in a map after a write to it");
  const shown = key.map((part) => {
    if (typeof part === "string") return JSON.stringify(part);
    if ("text" in part) return part.text;
    return "number" in part ? JSON.stringify(part.number) : notDecided("a key with a value of a map, or with a list");
  });
  const name = `map_lookup(${JSON.stringify(map)},${shown.join("+")})`;
  const before = looked.get(map) ?? [];
  const known = before.find((one) => one.name === name) ?? before.find((one) => testTexts("equal", one.key, key));
  if (known !== undefined) return known.name;
  looked.set(map, [...before, { name, key }]);
  originate(name, { kind: "lookup", map, key });
  return name;
}

/** The result of a verification: 0 or a negative errno. */
export function verdictOf(name: string, origin: Origin): Sym {
  originate(name, origin);
  return integer(name, -4095n, 0n);
}

/** Arrays of the sandbox in place of sequences whose elements are known on this path. */
const kept = new WeakMap<Sym, unknown[]>();

export function keepArray(sequence: Sym, array: unknown[]): void {
  kept.set(sequence, array);
}

/** A fact that is read when it is used. */
export function deferred(name: string, domain: FactDomain): Sym {
  return new Sym({ k: "deferred", read: () => factOf(name, domain) });
}

/** A value whose type the path may have settled: a number, a text, `true`, `false` or null in place of JSON. */
export function view(value: unknown): unknown {
  const term = termOf(value);
  if (term?.k === "text") return constantOf(term.name) ?? value;
  if (term?.k === "deferred") return view(term.read());
  if (term?.k === "sequence") return kept.get(value as Sym) ?? value;
  if (term?.k !== "json") return value;
  const { name } = term;
  const types = typesOf(name);
  if (types.length !== 1) return value;
  switch (types[0]!) {
    case "null":
      return null;
    case "true":
      return true;
    case "false":
      return false;
    case "number":
      return symbol(`${name} as number`, double(name, ANY_NUMBER));
    case "string":
      return constantOf(name) ?? symbol(`${name} as string`, { k: "text", name });
    default:
      return value;
  }
}
