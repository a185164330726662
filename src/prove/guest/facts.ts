import { type FactDomain, LARGEST_AMOUNT } from "../../fact-type.js";
import type { Range } from "../arithmetic/range.js";
import type { Origin } from "../shared/atom.js";
import { numberOf, onlyText } from "./json-symbols.js";
import { beginning, constantOf, declare, fault, notDecided, originate, restrict, test, typesOf } from "./path.js";
import { only, Sym, type Term, termOf } from "./term.js";

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
  if (term?.k === "changing") return notDecided(term.why);
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
    case "number": {
      const number = numberOf(name);
      return typeof number === "number" ? number : symbol(`${name} as number`, number);
    }
    case "string":
      return constantOf(name) ?? onlyText(name) ?? symbol(`${name} as string`, { k: "text", name });
    default:
      return value;
  }
}
