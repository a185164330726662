/** Conditions drawn by chance that are all true for an input, so that no solver may refute them. */

import { VOCABULARY } from "../../src/engine/load/vocabulary.js";
import type { FactDomain } from "../../src/fact-type.js";
import type { NameKind } from "../../src/policy/model/vocabulary.js";
import { rangeOf, written } from "../../src/prove/arithmetic/expression.js";
import { OPERATIONS } from "../../src/prove/arithmetic/operations.js";
import { SymbolNames } from "../../src/prove/explorer/symbol-names.js";
import { declarationsOf } from "../../src/prove/facts/declarations.js";
import { SUBJECT_DOMAINS } from "../../src/prove/facts/subject-domains.js";
import {
  type Atom,
  anyElement,
  type ElementCase,
  type Expression,
  JSON_TYPES,
  type LinearTerm,
  type Origin,
  type SymbolDomain,
  type TextPart,
} from "../../src/prove/shared/atom.js";
import { measureName, stepName, type TextMeasure, type TextStep } from "../../src/prove/shared/text-step.js";
import type { Condition } from "../../src/prove/solver/condition.js";
import type { Knowledge } from "../../src/prove/solver/solver.js";
import type { Input } from "../../src/prove/witness/input.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";

type Next = (below: number) => number;

const HOOK = "bpf_prog_load";
const TEXT: SymbolDomain = { kind: "text", names: null, hex: null };
const LENGTH: SymbolDomain = { kind: "integer", least: "0", most: "4294967295" };
const FIELDS = SUBJECT_DOMAINS.program as Readonly<Record<string, FactDomain>>;
const MAP_FIELDS = (FIELDS.maps as { of: { fields: Readonly<Record<string, FactDomain>> } }).of.fields;

/** Conditions about texts, numbers, lists and values of maps, with what is known about the symbols in them. */
export class TrueConditions {
  readonly symbols = new Map<string, SymbolDomain>();
  readonly origins = new Map<string, Origin>();
  readonly conditions: Condition[] = [];
  readonly knowledge: Knowledge;
  readonly #names = new SymbolNames();
  readonly #values: () => SymbolValues;
  /** Texts and numbers about which there can be conditions. */
  readonly #texts: string[] = ["prog.name", "prog.license", "current.comm", "prog.type"];
  readonly #numbers: string[] = ["prog.insn_cnt", "current.uid"];

  constructor(
    input: Input,
    private readonly next: Next,
    private readonly words: readonly string[],
  ) {
    const { argument, clauses } = declarationsOf(HOOK);
    this.knowledge = {
      ...{ symbols: this.symbols, origins: this.origins, clauses, argument },
      namesOf: (type) => VOCABULARY[type as NameKind] ?? [],
    };
    this.#values = () => new SymbolValues(input, this.knowledge);
    for (const name of ["prog.name", "prog.license", "current.comm"]) this.symbols.set(name, TEXT);
    this.#declareFact("prog.type", FIELDS.type!);
    this.symbols.set("prog.digest", { kind: "text", names: null, hex: 32 });
    this.symbols.set("prog.insn_cnt", { kind: "integer", least: "0", most: "1000000" });
    this.symbols.set("current.uid", { kind: "integer", least: "0", most: "4294967295" });
    for (const list of ["prog.maps", "prog.helpers"]) this.symbols.set(list, { kind: "list" });
  }

  #declareFact(name: string, domain: FactDomain): void {
    if (domain.kind === "text") this.symbols.set(name, domain);
    else if (domain.kind === "count")
      this.symbols.set(name, { kind: "integer", least: "0", most: String(domain.most) });
    else if (domain.kind === "flag") this.symbols.set(name, { kind: "flag" });
  }

  /** Adds conditions, fewer than `count` if some have no truth for the input. */
  draw(count: number): void {
    for (let index = 0; index < count; index++) this.#draw(this.next(14));
  }

  /** Adds a condition with the truth that it has for the input; none if it has none. */
  #add(atom: Atom): boolean | null {
    const values = this.#values();
    const [yes, no] = [values.satisfy([{ atom, is: true }]), values.satisfy([{ atom, is: false }])];
    if (yes === no) return null;
    this.conditions.push({ atom, is: yes });
    return yes;
  }

  #draw(kind: number): void {
    switch (kind) {
      case 0: {
        const name = `prog.effects.${this.#pick(["read_only", "redirects", "decides", "reads_kernel_memory", "tail_calls"])}`;
        this.symbols.set(name, { kind: "flag" });
        this.#add({ kind: "flag", of: name });
        return;
      }
      case 1: {
        this.symbols.set("prog.section?", { kind: "null" });
        if (this.#add({ kind: "null", of: "prog.section?" }) !== false) return;
        this.symbols.set("prog.section", TEXT);
        if (!this.#texts.includes("prog.section")) this.#texts.push("prog.section");
        return;
      }
      case 2:
      case 3:
        this.#part();
        return;
      case 4:
        this.#measure();
        return;
      case 5:
        this.#json();
        return;
      case 6:
        this.#computed();
        return;
      case 7:
      case 8:
        this.#some();
        return;
      case 9: {
        this.#add(this.#number());
        return;
      }
      case 10: {
        const where = Array.from({ length: 1 + this.next(3) }, () =>
          Array.from({ length: this.next(3) }, (): Condition => ({ atom: this.#outer(), is: this.next(2) === 0 })),
        );
        this.#add({ kind: "any", where });
        return;
      }
      default:
        this.#add(this.#about(this.#pick(this.#texts)));
    }
  }

  #outer(): Atom {
    return this.next(2) === 0 ? this.#about(this.#pick(this.#texts)) : this.#number();
  }

  #textAt(name: string): string {
    const value = this.#values().valueOf(name);
    return typeof value === "string" ? value : "";
  }

  #word(near: string): string {
    const [from, to] = [this.next(near.length + 1), this.next(near.length + 1)];
    const part = near.slice(Math.min(from, to), Math.max(from, to));
    return this.#pick([near, part, near.slice(0, from), near.slice(from), `${near}a`, this.#pick(this.words)]);
  }

  #about(of: string): Atom {
    const its = this.#textAt(of);
    const isPart = /\.(?:slice|trim)|\[(?:before|after) /.test(of);
    switch (this.next(10)) {
      case 0:
        return { kind: "before", of, text: this.#word(its) };
      case 1:
        return { kind: "compares", of, text: `${this.#pick(["<", "<=", ">", ">="])} ${this.next(20) - 5}` };
      case 2: {
        const source = this.#pick([
          "^a",
          "b$",
          "^[a-z]*$",
          "[/_]",
          "^.$",
          "^(?:a|b)*$",
          "\\s",
          "a.b",
          "^[^/]*/",
          "[0-9]+",
          "^$",
        ]);
        return { kind: "regex", of, text: source, flags: this.#pick(["", "i"]) };
      }
      case 3: {
        if (isPart) return { kind: "equals", of, text: this.#word(its) };
        return {
          kind: "matches",
          of,
          text: `${this.#word(its)}${this.#pick(["*", "**", "?"])}${this.#pick(["", this.#word(its)])}`,
        };
      }
      case 4: {
        const [one, other] = [of, this.#pick(this.#texts)].sort() as [string, string];
        return one === other ? { kind: "equals", of, text: this.#word(its) } : { kind: "same", of: one, other };
      }
      case 5: {
        const parts = (): TextPart[] =>
          Array.from({ length: 1 + this.next(3) }, (): TextPart => {
            const name = this.#pick(this.#texts);
            if (this.next(6) === 0) return { number: this.#term(this.#pick(this.#numbers)) };
            return this.next(2) === 0 ? this.#word(its) : { text: name };
          });
        return {
          kind: "texts",
          relation: this.#pick(["equal", "starts", "ends", "includes"] as const),
          left: parts(),
          right: parts(),
        };
      }
      default:
        return {
          kind: this.#pick(["equals", "equals", "starts", "ends", "includes"] as const),
          of,
          text: this.#word(its),
        };
    }
  }

  #term(name: string): LinearTerm {
    return { constant: "0", of: [["1", name]] };
  }

  #number(): Atom {
    const names = [...new Set(Array.from({ length: 1 + this.next(2) }, () => this.#pick(this.#numbers)))];
    const of = names.map((name) => [this.#pick(["1", "-1", "2", "3", "-2"]), name] as const);
    const values = this.#values();
    let sum = 0;
    for (const [by, name] of of) {
      const value = values.valueOf(name);
      sum += Number(by) * (typeof value === "number" ? value : 0);
    }
    const constant = Number.isSafeInteger(Math.trunc(sum)) ? BigInt(-Math.trunc(sum) + this.next(5) - 2) : 0n;
    return {
      kind: "number",
      term: { constant: String(constant), of },
      is: this.#pick(["= 0", "< 0", "<= 0"] as const),
    };
  }

  #part(): void {
    const of = this.#pick(this.#texts);
    const its = this.#textAt(of);
    const unit = this.#pick(["/", "_", " ", "a", its[this.next(its.length + 1)] ?? "b"]);
    const step = this.#pick<TextStep>([
      { step: "trim" },
      { step: "trimStart" },
      { step: "trimEnd" },
      { step: "slice", from: this.next(4), to: null },
      { step: "slice", from: this.next(3), to: 3 + this.next(3) },
      { step: "last", count: 1 + this.next(3) },
      { step: "without last", count: 1 + this.next(3) },
      { step: "before first", unit },
      { step: "after first", unit },
      { step: "after last", unit },
      { step: "before last", unit },
    ]);
    const name = stepName(of, step);
    if (this.symbols.has(name)) return;
    this.symbols.set(name, { kind: "text", names: null, hex: null, step });
    this.#texts.push(name);
    this.#add(this.#about(name));
  }

  #measure(): void {
    const of = this.#pick(this.#texts);
    if (this.next(2) === 0) {
      const name = `${of}.length`;
      this.symbols.set(name, LENGTH);
      if (!this.#numbers.includes(name)) this.#numbers.push(name);
    } else {
      const measure: TextMeasure = {
        measure: this.#pick(["indexOf", "lastIndexOf"] as const),
        unit: this.#pick(["/", "a", "_"]),
      };
      const name = measureName(of, measure);
      this.symbols.set(name, { kind: "integer", least: "-1", most: String(2 ** 30), measure });
      if (!this.#numbers.includes(name)) this.#numbers.push(name);
    }
    this.#add(this.#number());
  }

  #json(): void {
    const key = this.#pick(["k", "l"]);
    const name = `map_lookup("program_budget",${JSON.stringify(key)})`;
    this.origins.set(name, { kind: "lookup", map: "program_budget", key: [key] });
    this.symbols.set(`${name}!`, { kind: "exists" });
    if (this.#add({ kind: "exists", of: `${name}!` }) !== true) return;
    this.symbols.set(name, { kind: "json" });
    const among = this.#pick([
      ...JSON_TYPES.map((one) => [one]),
      JSON_TYPES.filter(() => this.next(2) === 0),
    ] as (typeof JSON_TYPES)[number][][]);
    if (among.length > 0) this.#add({ kind: "type", of: name, among });
    const value = this.#values().valueOf(name);
    if (typeof value === "string" && !this.#texts.includes(name)) {
      this.#add({ kind: "type", of: name, among: ["string"] });
      this.#texts.push(name);
    }
    if (typeof value === "number" && Number.isFinite(value) && !this.#numbers.includes(name)) {
      this.#add({ kind: "type", of: name, among: ["number"] });
      this.#numbers.push(name);
      this.#add({ kind: "integer", of: name });
    }
    if (this.next(3) === 0) this.#add({ kind: "written", of: name });
  }

  #computed(): void {
    const names = this.#numbers.filter((name) => this.symbols.get(name)?.kind === "integer");
    const one = this.#term(this.#pick(names));
    const operation = this.#pick(Object.keys(OPERATIONS));
    const { takes } = OPERATIONS[operation]!;
    const constant = this.#pick([1, 2, 3, 4, 7, 8, 255, 0.5, -3]);
    const other: Expression = this.next(3) === 0 ? this.#term(this.#pick(names)) : constant;
    const expression = { operation, of: takes === 1 ? [one] : [one, other] };
    const range = rangeOf(expression, ({ of }) => {
      const domain = this.symbols.get(of[0]![1]) as Extract<SymbolDomain, { kind: "integer" }>;
      return { least: BigInt(domain.least), most: BigInt(domain.most), isInteger: true };
    });
    if (range === null) return;
    const name = written(expression);
    const [least, most] = [String(range.least), String(range.most)];
    if (this.symbols.has(name)) return;
    this.symbols.set(name, { kind: range.isInteger ? "integer" : "number", least, most });
    this.origins.set(name, { kind: "computed", expression });
    this.#numbers.push(name);
    this.#add(this.#number());
    this.#add({ kind: "number", term: this.#near(name), is: this.#pick(["= 0", "< 0", "<= 0"] as const) });
  }

  #near(name: string): LinearTerm {
    const value = this.#values().valueOf(name);
    const whole = typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : 0;
    return { constant: String(-BigInt(whole) + BigInt(this.next(3) - 1)), of: [["1", name]] };
  }

  #elementCondition(list: string): Condition {
    const any = anyElement(list);
    const is = this.next(2) === 0;
    const word = () => this.#pick([...this.words, "a", "edge", "hash", "array"]);
    if (list === "prog.helpers") {
      const helper = this.#pick(["equals", "starts", "includes"] as const);
      return { atom: { kind: helper, of: any, text: word() }, is };
    }
    const field = this.#pick(["name", "type", "key_size", "value_size"]);
    this.#declareFact(`${any}.${field}`, MAP_FIELDS[field]!);
    if (field.endsWith("size")) {
      const term = { constant: String(-this.next(6)), of: [["1", `${any}.${field}`]] } as const;
      return { atom: { kind: "number", term, is: this.#pick(["= 0", "< 0", "<= 0"] as const) }, is };
    }
    if (this.next(4) === 0) {
      const [one, other] = [`${any}.${field}`, this.#pick(this.#texts)].sort() as [string, string];
      return { atom: { kind: "same", of: one, other }, is };
    }
    return {
      atom: {
        kind: this.#pick(["equals", "starts", "ends", "includes"] as const),
        of: `${any}.${field}`,
        text: word(),
      },
      is,
    };
  }

  #some(): void {
    const list = this.#pick(["prog.maps", "prog.maps", "prog.helpers"]);
    if (list === "prog.helpers") this.#declareFact(anyElement(list), (FIELDS.helpers as { of: FactDomain }).of);
    if (this.next(3) === 0) {
      const name = `${list}.length`;
      this.symbols.set(name, LENGTH);
      if (!this.#numbers.includes(name)) this.#numbers.push(name);
      this.#add(this.#number());
    }
    const where: ElementCase[] = Array.from({ length: 1 + this.next(2) }, () =>
      Array.from({ length: this.next(3) }, () => this.#elementCondition(list)),
    );
    const first = this.next(2) === 0 ? null : this.#names.first(list, where);
    if (first !== null) this.origins.set(first, { kind: "element", list, where });
    const is = this.#add({ kind: "some", of: list, where, first });
    if (is !== true) return;
    if (first !== null) {
      const parts = list === "prog.helpers" ? [""] : [".name", ".type", ".key_size", ".value_size"];
      for (const part of parts) {
        const name = first + part;
        const domain = part === "" ? (FIELDS.helpers as { of: FactDomain }).of : MAP_FIELDS[part.slice(1)]!;
        this.#declareFact(name, domain);
        if (this.symbols.get(name)?.kind === "text") this.#texts.push(name);
        else this.#numbers.push(name);
      }
      this.#add(this.next(2) === 0 ? this.#about(first + parts[0]!) : this.#number());
    }
    if (this.next(2) === 0) {
      const name = this.#names.count(list, where);
      this.origins.set(name, { kind: "count", list, where });
      this.symbols.set(name, { kind: "integer", least: "1", most: "4294967295" });
      if (!this.#numbers.includes(name)) this.#numbers.push(name);
      this.symbols.set(`${list}.length`, LENGTH);
      this.#add(this.#number());
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }
}
