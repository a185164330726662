import {
  type Atom,
  anyElement,
  type ElementCase,
  JSON_TYPES,
  type LinearTerm,
  type TextPart,
} from "../../../src/prove/shared/atom.js";
import type { TextRelation } from "../../../src/prove/shared/text-relation.js";
import { type Condition, flagOf } from "../../../src/prove/solver/condition.js";
import type { Knowledge } from "../../../src/prove/solver/solver.js";
import { define, type SmtNumber } from "./smt-expression.js";
import { ANY_TEXT, hexText, patternText, smtString } from "./smt-text.js";

/** A question of the prover in SMT-LIB 2.6: whether all conditions can be true. */
export interface SmtQuery {
  /** Declarations and assertions, without `check-sat`. */
  readonly text: string;
  /** Whether it says exactly what the conditions say; otherwise it says less. */
  readonly isExact: boolean;
  readonly hasQuantifiers: boolean;
}

/** A relation of two texts. */
const RELATIONS: Readonly<Record<TextRelation, (left: string, right: string) => string>> = {
  equal: (left, right) => `= ${left} ${right}`,
  starts: (left, right) => `str.prefixof ${right} ${left}`,
  ends: (left, right) => `str.suffixof ${right} ${left}`,
  includes: (left, right) => `str.contains ${left} ${right}`,
};

/** A variable of a quantifier. */
const BOUND = /\bi\d+\b/;

/** The index that stands for all elements without an index of their own. */
const OTHER = "(- 1)";

/** Thrown for a condition that has no form in SMT-LIB. */
export class Inexpressible extends Error {}

/** The indices that stand for elements, by the list whose elements they are. */
type Indices = ReadonlyMap<string, string>;
type SomeAtom = Extract<Atom, { kind: "some" }>;
type Sort = "Bool" | "Int" | "Real" | "String";

/** A part of an element, under the name that any element has, and the indices of the elements. */
interface Place {
  readonly name: string;
  readonly indices: readonly string[];
}

/** States a question. Throws {@link Inexpressible}. */
export function smtQuery(conditions: readonly Condition[], knowledge: Knowledge): SmtQuery {
  return new Writer(conditions, knowledge).query();
}

class Writer {
  readonly #declared = new Map<string, string>();
  readonly #lines: string[] = [];
  /** Terms whose bounds are asserted. */
  readonly #written = new Set<string>();
  /** Element names of conditions: the first element in some cases, with its list. */
  readonly #firsts = new Map<string, string>();
  /** The indices of elements that each list has. */
  readonly #indices = new Map<string, Set<string>>();
  /** Assertions about all elements, which are written when it is known which ones there are. */
  readonly #later: (() => string)[] = [];
  #isExact = true;
  /** In how many alternatives the condition is that is written now. */
  #alternatives = 0;
  #bound = 0;

  constructor(
    private readonly conditions: readonly Condition[],
    private readonly knowledge: Knowledge,
  ) {
    for (const [name, origin] of knowledge.origins) {
      if (origin.kind === "element") this.#firsts.set(name, origin.list);
      // A statement that a helper finds is one of the program's
      if (origin.kind === "statement_of") this.#firsts.set(name, `${knowledge.argument}.statements`);
    }
    for (const { atom } of conditions)
      if (atom.kind === "some" && atom.first !== null) this.#firsts.set(atom.first, atom.of);
  }

  query(): SmtQuery {
    const asserted = this.conditions.map((one) => `(assert ${this.#condition(one, new Map())})`);
    asserted.push(...this.#later.map((write) => write()), ...this.#clauses());
    const text = [...this.#lines, ...asserted, ""].join("\n");
    return { text, isExact: this.#isExact, hasQuantifiers: /\((forall|exists) /.test(text) };
  }

  /** The constraints between facts. */
  #clauses(): string[] {
    const { clauses, argument } = this.knowledge;
    return clauses.map(({ any }) => {
      const literals = any.map((literal) => {
        const name = `${argument}.${literal.fact}`;
        if ("is" in literal) return not(literal.is, this.#symbol("Bool", name, new Map()));
        const text = this.#symbol("String", name, new Map());
        return not(literal.among, or(literal.of.map((one) => `(= ${text} ${smtString(one)})`)));
      });
      return `(assert ${or(literals)})`;
    });
  }

  #condition({ atom, is }: Condition, indices: Indices): string {
    return not(is, this.#atom(atom, indices, is));
  }

  #atom(atom: Atom, indices: Indices, is: boolean): string {
    const flag = flagOf(atom);
    if (flag !== null) {
      const symbol = this.#symbol("Bool", flag, indices);
      // A value that cannot be written is an array or an object
      if (atom.kind === "written") return `(or ${symbol} (not ${this.#type(atom.of, ["array", "object"], indices)}))`;
      return symbol;
    }
    switch (atom.kind) {
      case "equals":
        return `(= ${this.#symbol("String", atom.of, indices)} ${smtString(atom.text)})`;
      case "same":
        return `(= ${this.#symbol("String", atom.of, indices)} ${this.#symbol("String", atom.other, indices)})`;
      case "starts":
        return `(str.prefixof ${smtString(atom.text)} ${this.#symbol("String", atom.of, indices)})`;
      case "ends":
        return `(str.suffixof ${smtString(atom.text)} ${this.#symbol("String", atom.of, indices)})`;
      case "includes":
        return `(str.contains ${this.#symbol("String", atom.of, indices)} ${smtString(atom.text)})`;
      case "texts": {
        const [left, right] = [this.#text(atom.left, indices), this.#text(atom.right, indices)];
        return `(${RELATIONS[atom.relation](left, right)})`;
      }
      case "matches": {
        const pattern = patternText(atom.text);
        if (pattern === null) throw new Inexpressible(`the pattern ${atom.text}`);
        return `(str.in_re ${this.#symbol("String", atom.of, indices)} ${pattern})`;
      }
      case "before":
        return `(str.< ${this.#symbol("String", atom.of, indices)} ${smtString(atom.text)})`;
      case "type":
        return this.#type(atom.of, atom.among, indices);
      case "number":
        return this.#number(atom, indices);
      case "integer": {
        const { text, sort } = this.#numberSymbol(atom.of, indices);
        return sort === "Int" ? "true" : `(is_int ${text})`;
      }
      case "some":
        return this.#some(atom, indices, is);
      case "any": {
        this.#alternatives += 1;
        const cases = atom.where.map((one) => this.#case(one, indices));
        this.#alternatives -= 1;
        return or(cases);
      }
      default:
        throw new Inexpressible(atom.kind);
    }
  }

  /** Parts one after the other. How a number or a JSON value is written has no form. */
  #text(parts: readonly TextPart[], indices: Indices): string {
    const its = parts.map((part) => {
      if (typeof part === "string") return smtString(part);
      if (!("text" in part)) throw new Inexpressible("a text of something else than texts");
      return this.#symbol("String", part.text, indices);
    });
    if (its.length < 2) return its[0] ?? '""';
    return `(str.++ ${its.join(" ")})`;
  }

  #type(name: string, among: readonly string[], indices: Indices): string {
    const type = this.#symbol("Int", `type of ${name}`, indices, name);
    return or(among.map((one) => `(= ${type} ${JSON_TYPES.indexOf(one as "null")})`));
  }

  #number({ term, is }: Extract<Atom, { kind: "number" }>, indices: Indices): string {
    const { text, sort } = this.#sum(term, indices);
    return `(${is.split(" ")[0]} ${text} ${sort === "Real" ? "0.0" : "0"})`;
  }

  #sum(term: LinearTerm, indices: Indices): SmtNumber {
    const symbols = term.of.map(([by, name]) => [BigInt(by), this.#numberSymbol(name, indices)] as const);
    const isReal = symbols.some(([, { sort }]) => sort === "Real");
    const constant = (value: bigint) => {
      const digits = `${value < 0n ? -value : value}${isReal ? ".0" : ""}`;
      return value < 0n ? `(- ${digits})` : digits;
    };
    const summands = symbols.map(([by, { text, sort }]) => {
      return `(* ${constant(by)} ${isReal && sort === "Int" ? `(to_real ${text})` : text})`;
    });
    const sum =
      summands.length === 0
        ? constant(BigInt(term.constant))
        : `(+ ${constant(BigInt(term.constant))} ${summands.join(" ")})`;
    return { text: sum, sort: isReal ? "Real" : "Int" };
  }

  #numberSymbol(name: string, indices: Indices): { readonly text: string; readonly sort: "Int" | "Real" } {
    const origin = this.knowledge.origins.get(name);
    const domain = this.#domainOf(name, indices);
    if (domain?.kind === "integer" && domain.measure !== undefined) throw new Inexpressible(domain.measure.measure);
    const whole = name.endsWith(".length") ? name.slice(0, -".length".length) : null;
    const of = whole === null ? undefined : this.#domainOf(whole, indices);
    if (whole !== null && of?.kind === "text")
      return { text: `(str.len ${this.#symbol("String", whole, indices)})`, sort: "Int" };
    // A value of a map can be a list or a text
    if (of?.kind === "json") this.#isExact = false;
    const sort = this.#domainOf(name, indices)?.kind === "integer" ? "Int" : "Real";
    const text = this.#symbol(sort, `number ${name}`, indices, name);
    if (origin?.kind === "verify_program") {
      const length = this.#length(`${this.knowledge.argument}.statements`, indices);
      this.#assertOnce(`(assert (=> (= ${text} 0) (< 0 ${length})))`);
    }
    if (origin?.kind === "there" || origin?.kind === "folded") this.#isExact = false;
    if (origin?.kind === "count") {
      // That it is the number of these elements is not said, only that there are not more than all
      this.#isExact = false;
      this.#assertOnce(`(assert (<= ${text} ${this.#length(origin.list, indices)}))`);
    }
    if (origin?.kind === "computed" && !this.#written.has(`${text} is defined`)) {
      this.#written.add(`${text} is defined`);
      const { number, isAll } = define(origin.expression, {
        numberOf: (term) => this.#sum(term, indices),
        fresh: (its) => this.#declare(`fresh ${this.#bound++}`, 0, its),
        say: (its) => this.#later.push(() => `(assert ${its})`),
      });
      this.#isExact &&= isAll;
      const [one, other] =
        number.sort === sort ? [text, number.text] : [real(text, sort), real(number.text, number.sort)];
      this.#later.push(() => `(assert (= ${one} ${other}))`);
    }
    return { text, sort };
  }

  /**
   * Quantifiers over the elements of a list are instantiated: by an index for each element that must be there, and by
   * one for all others, of which there are none if the list has no more elements than those. That is equivalent, since
   * the others can follow the ones that must be there. In a case of another list, quantifiers stay.
   */
  #some(atom: SomeAtom, indices: Indices, is: boolean): string {
    const { of, where, first } = atom;
    const length = this.#length(of, indices);
    const isIn = (index: string) => {
      const inner = new Map(indices).set(this.#place(of, indices).name, index);
      return or(where.map((one) => this.#case(one, inner)));
    };
    // A condition on a list that need not hold says nothing about the elements with an index
    if (indices.size > 0 || this.#alternatives > 0) {
      this.#isExact &&= this.#alternatives === 0;
      const name = `i${this.#bound++}`;
      return `(exists ((${name} Int)) (and (<= 0 ${name}) (< ${name} ${length}) ${isIn(name)}))`;
    }
    if (!is) {
      this.#later.push(() => `(assert ${this.#isNone(of, isIn)})`);
      return "false";
    }
    const index = first === null ? this.#declare(`index ${this.#bound++}`, 0, "Int") : this.#index(first);
    this.#indicesOf(of).add(index);
    if (first !== null)
      this.#later.push(() => {
        const earlier = [...this.#indicesOf(of)].map((other) => `(=> (< ${other} ${index}) (not ${isIn(other)}))`);
        return `(assert ${and(earlier)})`;
      });
    return `(and (<= 0 ${index}) (< ${index} ${length}) ${isIn(index)})`;
  }

  /** That no element is in some cases. */
  #isNone(list: string, isIn: (index: string) => string): string {
    const indices = [...this.#indicesOf(list)];
    const different = indices.map((one, at) => {
      const same = indices.slice(0, at).map((other) => `(= ${one} ${other})`);
      return `(ite ${or(same)} 0 1)`;
    });
    const others = `(> ${this.#length(list, new Map())} ${different.length === 0 ? "0" : `(+ 0 ${different.join(" ")})`})`;
    return and([...indices.map((index) => not(false, isIn(index))), `(=> ${others} (not ${isIn(OTHER)}))`]);
  }

  #indicesOf(list: string): Set<string> {
    const known = this.#indices.get(list) ?? new Set<string>();
    this.#indices.set(list, known);
    return known;
  }

  #case(one: ElementCase, indices: Indices): string {
    return and(one.map((condition) => this.#condition(condition, indices)));
  }

  #length(list: string, indices: Indices): string {
    const text = this.#symbol("Int", `number ${list}.length`, indices, `${list}.length`);
    if (!BOUND.test(text)) this.#assertOnce(`(assert (<= 0 ${text}))`);
    return text;
  }

  /** The index of an element with a name of its own. */
  #index(name: string): string {
    return this.#declare(`index of ${name}`, 0, "Int");
  }

  #place(name: string, indices: Indices): Place {
    const found: string[] = [];
    let its = name;
    const first = [...this.#firsts].find(([one]) => its.includes(one));
    let own = new Map(indices);
    if (first !== undefined) {
      const [element, list] = first;
      its = its.replace(element, anyElement(list));
      own = own.set(list, this.#index(element));
      if (this.knowledge.origins.get(element)?.kind === "statement_of") this.#isInside(list, this.#index(element));
    }
    for (let at = its.indexOf("[*]"); at >= 0; at = its.indexOf("[*]", at + 1)) {
      const list = its.slice(0, at).replace(/^(type of|number) /, "");
      found.push(own.get(list) ?? this.#anyIndex(list));
    }
    return { name: its, indices: found };
  }

  /** The index of any element, in a question about it. */
  #anyIndex(list: string): string {
    const index = this.#declare(`index of any of ${list}`, 0, "Int");
    this.#indicesOf(list).add(index);
    if (!list.includes("[*]")) this.#isInside(list, index);
    return index;
  }

  #isInside(list: string, index: string): void {
    this.#indicesOf(list).add(index);
    this.#assertOnce(`(assert (and (<= 0 ${index}) (< ${index} ${this.#length(list, new Map())})))`);
  }

  #domainOf(name: string, indices: Indices) {
    return this.knowledge.symbols.get(this.#place(name, indices).name) ?? this.knowledge.symbols.get(name);
  }

  /** A symbol of a sort, applied to the indices of elements. `about` is the name whose domain it has. */
  #symbol(sort: Sort, name: string, indices: Indices, about = name): string {
    const { name: own, indices: its } = this.#place(name, indices);
    const symbol = this.#declare(`${sort} ${own}`, its.length, sort);
    const text = its.length === 0 ? symbol : `(${symbol} ${its.join(" ")})`;
    if (this.#written.has(text)) return text;
    this.#written.add(text);
    const rules = this.#bounds(text, sort, name, about, indices);
    const bound = its.filter((index) => BOUND.test(index)).map((index) => `(${index} Int)`);
    if (rules.length > 0)
      this.#lines.push(`(assert ${bound.length === 0 ? and(rules) : `(forall (${bound.join(" ")}) ${and(rules)})`})`);
    return text;
  }

  #bounds(term: string, sort: Sort, name: string, about: string, indices: Indices): readonly string[] {
    const domain = this.#domainOf(about, indices);
    if (name.startsWith("type of ") && domain?.kind === "integer or text")
      return [or(["number", "string"].map((type) => `(= ${term} ${JSON_TYPES.indexOf(type as "null")})`))];
    if (name.startsWith("type of ")) return [`(<= 0 ${term})`, `(< ${term} ${JSON_TYPES.length})`];
    if (domain?.kind === "integer")
      return [
        ...[`(<= ${integer(domain.least)} ${term})`, `(<= ${term} ${integer(domain.most)})`],
        ...(domain.step === undefined ? [] : [`(= 0 (mod ${term} ${domain.step}))`]),
      ];
    if (domain?.kind === "number")
      return [`(<= ${integer(`${domain.least}.0`)} ${term})`, `(<= ${term} ${integer(`${domain.most}.0`)})`];
    if (sort !== "String") return [];
    if (domain?.kind === "text" && domain.step !== undefined) throw new Inexpressible(domain.step.step);
    const { hex, names } = domain?.kind === "text" ? domain : { hex: null, names: null };
    const known = names === null ? [] : this.knowledge.namesOf(names);
    // A newer name of such a type is `unknown`
    if (known.includes("unknown")) return [or(known.map((one) => `(= ${term} ${smtString(one)})`))];
    return [`(str.in_re ${term} ${hex === null ? ANY_TEXT : hexText(hex)})`];
  }

  #declare(key: string, depth: number, sort: Sort): string {
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const symbol = `s${this.#declared.size}`;
    this.#declared.set(key, symbol);
    this.#lines.push(`(declare-fun ${symbol} (${Array(depth).fill("Int").join(" ")}) ${sort})`);
    return symbol;
  }

  #assertOnce(line: string): void {
    if (!this.#lines.includes(line)) this.#lines.push(line);
  }
}

function real(text: string, sort: "Int" | "Real"): string {
  return sort === "Int" ? `(to_real ${text})` : text;
}

function integer(digits: string): string {
  return digits.startsWith("-") ? `(- ${digits.slice(1)})` : digits;
}

function not(is: boolean, text: string): string {
  return is ? text : `(not ${text})`;
}

function or(texts: readonly string[]): string {
  if (texts.length === 0) return "false";
  return texts.length === 1 ? texts[0]! : `(or ${texts.join(" ")})`;
}

function and(texts: readonly string[]): string {
  if (texts.length === 0) return "true";
  return texts.length === 1 ? texts[0]! : `(and ${texts.join(" ")})`;
}
