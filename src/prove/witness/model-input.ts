import { PROGRAM_BEGINNINGS, PROGRAM_MULTIPLES } from "../../bpf/program-constraints.js";
import type { FactDomain } from "../../fact-type.js";
import { hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import type { Current } from "../../policy/model/current.js";
import { CURRENT_DOMAINS } from "../../policy/model/current-fields.js";
import { termNumber } from "../arithmetic/exact-number.js";
import { evaluated } from "../arithmetic/expression.js";
import type { Exploration } from "../explorer/exploration.js";
import { RESULT_DOMAINS } from "../facts/declarations.js";
import { SUBJECT_DOMAINS } from "../facts/subject-domains.js";
import type { ElementCase, JsonType, LinearTerm, Origin } from "../shared/atom.js";
import { knownMap } from "../shared/known-maps.js";
import { measuredName, measureOf, stepOf, wholeName } from "../shared/text-step.js";
import { numberText } from "../shared/value-text.js";
import type { ListElement } from "../solver/lists.js";
import type { Model } from "../solver/solver.js";
import { completed } from "./completed-value.js";
import { defaultFact, defaultFacts } from "./default-facts.js";
import { type FoldedWay, foldedWays, reachFolded } from "./folded-list.js";
import type { Input } from "./input.js";
import { type SymbolPath, symbolPath } from "./symbol-path.js";
import { SymbolValues } from "./symbol-values.js";

type Explored = Pick<Exploration, "hook" | "symbols" | "origins" | "known">;
type Holder = Record<string, unknown>;

/** The most elements of a list in an input. */
const MOST = 1_000_000;
/** The most bytes: a program can have more instructions than the kernel's 1,000,000. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Inputs with the values of a model, and the simplest values for all others, with the elements of lists in several
 * orders; none if they would be too large.
 */
export function* inputsOf(model: Model, explored: Explored): Generator<Input> {
  const named = model.elements.filter(({ where }) => where !== null);
  const fillings = model.elements.filter(({ where }) => where === null);
  const folded = [...explored.origins].flatMap(([name, origin]) =>
    origin.kind === "folded" && model.numbers.has(name) ? [origin] : [],
  );
  for (const order of orders(named))
    for (const way of foldedWays(folded)) {
      const making = new Making(explored, [...order, ...fillings]);
      try {
        making.take(model);
        making.reach(model, way);
        if (!making.completeMaps()) continue;
      } catch (error) {
        if (error instanceof RangeError) continue;
        throw error;
      }
      yield making.input();
    }
}

/** All orders of a few elements, and only the given one of many. */
function orders<T>(elements: readonly T[]): readonly (readonly T[])[] {
  if (elements.length < 2 || elements.length > 4) return [elements];
  return elements.flatMap((one) => orders(elements.filter((other) => other !== one)).map((rest) => [one, ...rest]));
}

class Making {
  readonly #subject: Holder;
  readonly #current: Holder;
  readonly #answers = new Map<string, unknown>();
  readonly #domains: Readonly<Record<string, FactDomain>>;
  readonly #argument: string;
  readonly #isProgram: boolean;

  readonly #roots: readonly string[];
  readonly #lengths = new Map<string, number>();

  constructor(
    private readonly explored: Explored,
    private readonly elements: readonly ListElement[],
  ) {
    this.#roots = [...explored.origins.keys(), ...elements.map(({ name }) => name)];
    const kind = hookRow(explored.hook).subject;
    this.#isProgram = kind === "program";
    this.#argument = SUBJECT_KINDS[kind].argument;
    const object = (fields: Readonly<Record<string, FactDomain>>) =>
      ({ kind: "object", declared: "", fields }) as const;
    this.#domains = {
      [this.#argument]: object(SUBJECT_DOMAINS[kind]),
      current: object(CURRENT_DOMAINS),
    };
    this.#subject = defaultFacts(SUBJECT_DOMAINS[kind]);
    if (kind === "file") Object.assign(this.#subject, { path: "", name: "" });
    this.#current = defaultFacts(CURRENT_DOMAINS);
    if (this.#isProgram) Object.assign(this.#subject, { type: "xdp", evidence: [] });
    if (this.#isProgram) (this.#subject.effects as Holder).read_only = true;
  }

  /** Sets values from the outside to the inside: what holds others comes first. */
  take({ flags, texts, numbers, types }: Model): void {
    const steps: { readonly path: SymbolPath; readonly set: () => void }[] = [];
    const add = (name: string, set: (path: SymbolPath) => void) => {
      const path = this.#path(name);
      steps.push({ path, set: () => set(path) });
    };
    for (const { name, list } of this.elements) {
      const domain = this.#elementDomain(list);
      this.#answers.set(name, domain === null ? 0 : defaultFact(domain));
    }
    for (const [name, is] of flags) if (!name.endsWith(AS_TEXT)) add(name, (path) => this.#flag(path, is));
    // After the flags that values are present, whose default values these replace
    for (const [name, is] of flags)
      if (name.endsWith(AS_TEXT) && !is)
        add(name.slice(0, -AS_TEXT.length), (path) => this.#set(path, { toString: 0 }));
    for (const [name, type] of types)
      if (flags.get(name + AS_TEXT) !== false) add(name, (path) => this.#set(path, JSON_VALUES[type]()));
      else if (type === "array") add(name, (path) => this.#set(path, [{ toString: 0 }]));
    for (const [name, text] of texts) {
      // An array of one text is written as that text
      const value = types.get(name) === "array" ? [text] : text;
      add(name, (path) => this.#set(path, value));
    }
    for (const [name, number] of numbers) add(name, (path) => this.#number(path, number, name));
    steps.sort((one, other) => one.path.keys.length - other.path.keys.length);
    for (const { set } of steps) set();
    this.#fillLists(numbers);
    if (!this.#isProgram) return;
    this.#addStatements();
    for (const { fact, times, of } of PROGRAM_MULTIPLES)
      this.#subject[fact.slice(0, -".length".length)] = bytesOf(times * (this.#subject[of] as number));
    for (const { fact, length, of } of PROGRAM_BEGINNINGS)
      if (!texts.has(`${this.#argument}.${fact}`)) this.#subject[fact] = (this.#subject[of] as string).slice(0, length);
  }

  /** Gives lists elements with which `reduce` has the values of a model. */
  reach({ numbers }: Model, way: FoldedWay): void {
    for (const [name, origin] of this.explored.origins) {
      const wanted = numbers.get(name);
      if (origin.kind !== "folded" || wanted === undefined) continue;
      const path = this.#path(origin.list);
      const domain = this.#elementDomain(origin.list);
      const elements = this.#valueAt(path);
      if (domain === null || !Array.isArray(elements)) continue;
      const folded = (elements: readonly unknown[]) => {
        this.#set(path, elements);
        return Number(this.#valueOf(name));
      };
      // A simple element may be in none of the cases
      const isOfAll = origin.cases.every(({ where }) => where.length === 0);
      const more = () => (isOfAll ? defaultFact(domain) : structuredClone(elements.at(-1) ?? defaultFact(domain)));
      this.#set(path, reachFolded(origin, wanted, elements, domain, way, { folded, more }));
    }
  }

  /** Gives values of maps what their schemas require. False if a map cannot have such an entry. */
  completeMaps(): boolean {
    for (const [name, origin] of this.explored.origins) {
      if (origin.kind !== "lookup" || !this.#answers.has(name)) continue;
      const known = knownMap(this.explored.known, origin.map);
      const value = completed(this.#answers.get(name), known.values === undefined ? [] : [known.values]);
      if (new MapSchema(known).breach(this.#textOf(origin.key), value) !== null) return false;
      this.#answers.set(name, value);
    }
    return true;
  }

  #path(name: string): SymbolPath {
    return symbolPath(name, this.#roots);
  }

  /** The domain of the elements of a list; null for an array in a map. */
  #elementDomain(list: string): FactDomain | null {
    const domain = this.#domainOf(this.#path(list), true);
    return domain?.kind === "list" ? domain.of : null;
  }

  /** Puts elements into their lists: each as often as it is counted, and others up to the length of the list. */
  #fillLists(numbers: ReadonlyMap<string, number>): void {
    // A list in an element of another one comes before that: its name is longer
    const lists = [...new Set(this.elements.map((one) => one.list))].sort((a, b) => b.length - a.length);
    for (const list of lists) {
      const own = this.elements.filter((one) => one.list === list);
      const values = own.flatMap(({ name, where }) => {
        const value = this.#answers.get(name);
        return where === null ? [] : Array.from({ length: this.#countIn(list, where, numbers) }, () => value);
      });
      const filling = own.find(({ where }) => where === null);
      // Whether a longer list than that of the model is right is examined afterwards
      const length = Math.max(this.#lengths.get(list) ?? 0, values.length);
      if (length > MOST) throw new RangeError("a list is too long");
      while (values.length < length) values.push(this.#answers.get(filling!.name));
      this.#set(this.#path(list), structuredClone(values));
    }
  }

  #countIn(list: string, where: readonly ElementCase[], numbers: ReadonlyMap<string, number>): number {
    const key = JSON.stringify(where);
    for (const [name, origin] of this.explored.origins) {
      if (origin.kind !== "count" || origin.list !== list || JSON.stringify(origin.where) !== key) continue;
      // The same number can have several names
      const count = numbers.get(name);
      if (count === undefined) continue;
      if (count > MOST) throw new RangeError("a list is too long");
      return count;
    }
    return 1;
  }

  /** A statement that a helper returns is one of the program's. It returns none if the program is not verified. */
  #addStatements(): void {
    const statements = this.#subject.statements as unknown[];
    const verified = [...this.explored.origins].flatMap(([name, origin]) =>
      origin.kind === "verify_program" && this.#answers.get(name) === 0 ? [origin.keyring] : [],
    );
    for (const [name, origin] of this.explored.origins) {
      if (origin.kind !== "statement_of" || !verified.includes(origin.keyring)) continue;
      if (!this.#answers.has(name)) this.#answers.set(name, this.#defaultAnswer(origin));
      statements.push(this.#answers.get(name));
    }
  }

  input(): Input {
    const named = new Map([...this.explored.origins].map(([name, origin]) => [keyOf(origin), name] as const));
    return {
      subject: this.#subject,
      current: this.#current as unknown as Current,
      answer: (origin, key) => {
        if (origin.kind === "lookup") return this.#lookedUp(origin.map, key!);
        const name = named.get(keyOf(origin));
        return name !== undefined && this.#answers.has(name) ? this.#answers.get(name) : this.#defaultAnswer(origin);
      },
    };
  }

  /** The value of a key: keys are texts of which symbols may be parts, so that they are compared as texts. */
  #lookedUp(map: string, key: string): unknown {
    for (const [name, origin] of this.explored.origins) {
      if (origin.kind !== "lookup" || origin.map !== map || !this.#answers.has(name)) continue;
      if (this.#textOf(origin.key) === key) return this.#answers.get(name);
    }
    return undefined;
  }

  #textOf(parts: Extract<Origin, { kind: "lookup" }>["key"]): string {
    const words = parts.map((part) => {
      if (typeof part === "string") return part;
      if (!("text" in part || "number" in part)) throw new TypeError("a key has a part that is not decided");
      if ("text" in part) return String(this.#valueOf(part.text));
      return numberText(this.#numberOf(part.number));
    });
    return words.join("");
  }

  #numberOf(term: LinearTerm): number {
    return termNumber(term, (name) => Number(this.#valueOf(name)));
  }

  #valueOf(name: string): unknown {
    const domain = this.explored.symbols.get(name);
    if (domain?.kind === "text" && domain.step !== undefined)
      return stepOf(String(this.#valueOf(wholeName(name, domain.step))), domain.step);
    if (domain?.kind === "integer" && domain.measure !== undefined)
      return measureOf(String(this.#valueOf(measuredName(name, domain.measure))), domain.measure);
    const whole = name.endsWith(".length") ? name.slice(0, -".length".length) : null;
    if (whole !== null && this.explored.symbols.get(whole)?.kind === "text") return String(this.#valueOf(whole)).length;
    return this.#valueAt(this.#path(name));
  }

  #valueAt({ root, keys }: SymbolPath): unknown {
    const origin = this.explored.origins.get(root);
    if (origin?.kind === "computed") return evaluated(origin.expression, (term) => this.#numberOf(term));
    if (origin?.kind === "folded") return this.#found(root);
    // What a helper answers if no condition is about it
    const value = this.#rootValue(root) ?? (origin === undefined ? undefined : this.#defaultAnswer(origin));
    return keys.reduce<unknown>((at, key) => (at as Holder | null | undefined)?.[key], value);
  }

  #found(name: string): unknown {
    return new SymbolValues(this.input(), { ...this.explored, argument: this.#argument }).valueOf(name);
  }

  #rootValue(root: string): unknown {
    if (root === this.#argument) return this.#subject;
    return root === "current" ? this.#current : this.#answers.get(root);
  }

  /** An element that the model does not have, since it is the same as another one; undefined for anything else. */
  #defaultElement(origin: Origin): unknown {
    const domain = origin.kind === "element" ? this.#elementDomain(origin.list) : null;
    return domain === null ? undefined : defaultFact(domain);
  }

  #defaultAnswer(origin: Origin): unknown {
    switch (origin.kind) {
      case "verify_program":
      case "verify_signature":
        return NO_SIGNATURE;
      case "hash":
        return "0".repeat(Number(origin.algorithm.slice("sha".length)) / 4);
      case "statement_of":
      case "signer_of":
      case "signer_of_program":
        return defaultFacts(RESULT_DOMAINS[origin.kind === "statement_of" ? "statement_of" : "signer_of"]!);
      case "write":
        return 0;
      case "lookup":
      case "element":
      case "count":
      case "there":
      case "computed":
      case "folded":
        return undefined;
    }
  }

  #flag(path: SymbolPath, is: boolean): void {
    if (path.mark === "") this.#set(path, is);
    else if (path.mark === "?") this.#set(path, is ? null : defaultFact(this.#domainOf(path, true)!));
    else if (is) this.#create(path);
    else if (path.keys.length > 0) delete this.#holder(path)[path.keys.at(-1)!];
    else this.#answers.delete(path.root);
  }

  /** Makes a key exist. A value of JSON gets the simplest one; its type is set after that if the path has one. */
  #create(path: SymbolPath): void {
    const domain = this.#domainOf(path, true);
    this.#set(path, domain === null ? 0 : defaultFact(domain));
  }

  #number(path: SymbolPath, number: number, name: string): void {
    if (!name.endsWith(".length")) {
      if (!COUNTED.has(this.explored.origins.get(path.root)?.kind)) this.#set(path, number);
      return;
    }
    const holder = { ...path, keys: path.keys.slice(0, -1) };
    const list = name.slice(0, -".length".length);
    const domain = this.#domainOf(holder, true);
    if (domain?.kind === "bytes") this.#set(holder, bytesOf(number));
    else if (number > MOST) throw new RangeError("a list is too long");
    else if (this.elements.some((one) => one.list === list)) this.#lengths.set(list, number);
    else if (domain?.kind === "list")
      this.#set(
        holder,
        Array.from({ length: number }, () => defaultFact(domain.of)),
      );
    else if (domain === null)
      this.#set(
        holder,
        Array.from({ length: number }, () => 0),
      );
  }

  #set(path: SymbolPath, value: unknown): void {
    if (path.keys.length > 0) this.#holder(path)[path.keys.at(-1)!] = value;
    else if (path.root === this.#argument || path.root === "current") throw new TypeError("a root is not set");
    else this.#answers.set(path.root, value);
  }

  /** The object with the last key of a path, which is made where it is null or not there. */
  #holder({ root, keys }: SymbolPath): Holder {
    let at = this.#rootValue(root);
    if (typeof at !== "object" || at === null) {
      const origin = this.explored.origins.get(root);
      at = (origin && (this.#defaultElement(origin) ?? this.#defaultAnswer(origin))) ?? {};
      this.#answers.set(root, at);
    }
    for (const [index, key] of keys.slice(0, -1).entries()) {
      const holder = at as Holder;
      const domain = this.#domainOf({ root, keys: keys.slice(0, index + 1), mark: "" }, true);
      if (typeof holder[key] !== "object" || holder[key] === null)
        holder[key] = domain === null ? {} : defaultFact(domain);
      at = holder[key];
    }
    return at as Holder;
  }

  /** The domain of a fact, without null if `isPresent`; null for a value of JSON. */
  #domainOf({ root, keys }: SymbolPath, isPresent: boolean): FactDomain | null {
    const origin = this.explored.origins.get(root);
    const results = origin === undefined ? undefined : RESULT_DOMAINS[origin.kind.replace("_program", "")];
    const element = this.elements.find(({ name }) => name === root);
    let domain: FactDomain | null | undefined =
      results === undefined ? this.#domains[root] : { kind: "object", declared: "", fields: results };
    if (element !== undefined) domain = this.#elementDomain(element.list);
    for (const key of keys) {
      if (domain?.kind === "null or") domain = domain.of;
      if (domain?.kind === "object") domain = domain.fields[key];
      else domain = domain?.kind === "record" ? domain.of : undefined;
    }
    if (domain?.kind === "unknown or") domain = domain.of;
    if (isPresent && domain?.kind === "null or") domain = domain.of;
    return domain ?? null;
  }
}

/** Numbers of elements, which the elements have. */
const COUNTED: ReadonlySet<string | undefined> = new Set(["count", "there", "computed", "folded"]);

/** The end of the names of the flags that a JSON value can be written as text. */
const AS_TEXT = " as text";

const NO_SIGNATURE = -61;

const JSON_VALUES: Readonly<Record<JsonType, () => unknown>> = {
  null: () => null,
  true: () => true,
  false: () => false,
  number: () => 0,
  string: () => "",
  array: () => [],
  object: () => ({}),
};

function bytesOf(length: number): Uint8Array {
  if (length > MOST_BYTES) throw new RangeError("bytes are too long");
  return new Uint8Array(length);
}

function keyOf(origin: Origin): string {
  return JSON.stringify(origin);
}
