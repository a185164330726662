import type { Atom, LinearTerm, Origin } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";
import type { Knowledge } from "../solver/solver.js";
import { type ConditionTree, isQuestion } from "./condition-tree.js";
import { ALWAYS, type Formula, negated } from "./formula.js";
import type { KnownValues } from "./known-values.js";
import { missingIn } from "./missing-values.js";
import { type ChosenValue, type NamedValue, quoted } from "./named-value.js";
import { type Constant, Substitution } from "./substitution.js";
import type { TreeKeys } from "./tree-key.js";
import { chosenFirst } from "./value-cases.js";

/** Gives names to values, so that trees that differ in one value become one. */
export class ValueNames {
  readonly values: NamedValue[] = [];

  constructor(
    private readonly knowledge: Pick<Knowledge, "origins" | "symbols" | "argument">,
    private readonly known: KnownValues,
    private readonly keys: TreeKeys,
  ) {}

  /**
   * One tree for both sides of a question, if they are equal but for a value: an entry of a map under another key, the
   * result of a helper with another argument, or a constant in place of a value that is null or absent.
   */
  joined(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    return this.#otherSymbol(its, yes, no) ?? this.#constant(its, yes, no) ?? this.#constant(negated(its), no, yes);
  }

  #otherSymbol(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    const size = this.keys.sizeOf(yes);
    if (size !== this.keys.sizeOf(no) || size < 2 || size > LARGEST) return null;
    const [one, other] = [JSON.stringify(yes), JSON.stringify(no)];
    for (const first of this.#rootsIn(one))
      for (const second of this.#rootsIn(other)) {
        if (first === second || !this.#isAlike(first, second)) continue;
        if (other.replaceAll(quoted(second), quoted(first)) !== one) continue;
        const name = this.#nameOf(its, { symbol: first }, { symbol: second });
        return JSON.parse(other.replaceAll(quoted(second), quoted(name))) as ConditionTree;
      }
    return null;
  }

  /** The side of yes has a constant where the other one has a value that is there. */
  #constant(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    if (this.keys.sizeOf(no) > LARGEST || this.keys.sizeOf(yes) > this.keys.sizeOf(no)) return null;
    const text = JSON.stringify(no);
    for (const symbol of missingIn(its).filter((one) => text.includes(quoted(one))))
      for (const constant of constantsFor(symbol, yes, no)) {
        const substitution = new Substitution(symbol, constant, this.knowledge);
        if (this.#keyWith(no, substitution) !== this.keys.of(yes)) continue;
        const name = this.#nameOf(its, { constant }, { symbol });
        return JSON.parse(text.replaceAll(quoted(symbol), quoted(name))) as ConditionTree;
      }
    return null;
  }

  /** The key of a tree after a substitution; null if that is not possible. */
  #keyWith(tree: ConditionTree, substitution: Substitution): number | null {
    if (!isQuestion(tree)) return this.keys.of(substitution.ofEnd(tree));
    const its = substitution.ofFormula(tree.if);
    if (its === null) return null;
    if (typeof its === "boolean") return this.#keyWith(its ? tree.yes : tree.no, substitution);
    const [yes, no] = [this.#keyWith(tree.yes, substitution), this.#keyWith(tree.no, substitution)];
    if (yes === null || no === null) return null;
    return yes === no ? yes : this.keys.ofQuestion(its, yes, no);
  }

  #nameOf(its: Formula, value: ChosenValue, otherwise: ChosenValue): string {
    const joined = chosenFirst(
      [
        { if: its, value },
        { if: ALWAYS, value: otherwise },
      ],
      this.values,
      this.known,
    );
    const key = JSON.stringify(joined);
    const known = this.values.find((one) => JSON.stringify(one.cases) === key);
    if (known !== undefined) return known.name;
    const name = `⟨${this.values.length + 1}⟩`;
    this.values.push({ name, cases: joined });
    return name;
  }

  #rootsIn(key: string): readonly string[] {
    const names = [...this.values.map(({ name }) => name), ...this.knowledge.origins.keys()];
    return names.filter((name) => key.includes(quoted(name)));
  }

  #isAlike(one: string, other: string): boolean {
    const [first, second] = [this.#originOf(one), this.#originOf(other)];
    if (first === undefined || first.kind !== second?.kind || !ALIKE.has(first.kind)) return false;
    return first.kind !== "lookup" || (second.kind === "lookup" && first.map === second.map);
  }

  #originOf(name: string): Origin | undefined {
    const named = this.values.find((one) => one.name === name);
    if (named === undefined) return this.knowledge.origins.get(name);
    const { value } = named.cases.at(-1)!;
    return "symbol" in value ? this.#originOf(value.symbol) : undefined;
  }

  /** The conditions that hold if a value that has a name is a number; null if the name is none of these. */
  guardsOf(symbol: string): readonly Condition[] | null {
    const inside = this.values.filter(({ name }) => symbol.includes(name));
    if (inside.length === 0) return null;
    const numbers = inside.some(({ name }) => symbol.startsWith(name)) ? [symbol] : inside.map(({ name }) => name);
    return numbers.map((of): Condition => ({ atom: { kind: "type", of, among: ["number"] }, is: true }));
  }
}

/** Larger trees, in ends, are not compared value by value. */
const LARGEST = 200;

const ALIKE: ReadonlySet<Origin["kind"]> = new Set(["lookup", "verify_program", "verify_signature"]);

/** Constants that stand on one side where the value stands on the other. */
function constantsFor(symbol: string, yes: ConditionTree, no: ConditionTree): readonly Constant[] {
  const [one, other] = [atomsIn(yes), atomsIn(no)];
  const found = new Set<Constant>(["undefined"]);
  for (const atom of other)
    for (const its of one) {
      const constant = constantIn(symbol, its, atom);
      if (constant !== null) found.add(constant);
    }
  return [...found];
}

function constantIn(symbol: string, one: Atom, other: Atom): Constant | null {
  if (one.kind !== "number" || other.kind !== "number") return null;
  const by = other.term.of.find(([, name]) => name === symbol)?.[0];
  if (by === undefined) return constantInName(symbol, one.term, other.term);
  const difference = BigInt(one.term.constant) - BigInt(other.term.constant);
  const constant = Number(difference / BigInt(by));
  return difference % BigInt(by) === 0n && Number.isSafeInteger(constant) ? constant : null;
}

/** A constant in the expression that a symbol is named by. */
function constantInName(symbol: string, one: LinearTerm, other: LinearTerm): Constant | null {
  for (const [, name] of other.of) {
    const at = name.indexOf(symbol);
    if (at < 0) continue;
    const [before, after] = [name.slice(0, at), name.slice(at + symbol.length)];
    for (const [, its] of one.of) {
      const digits = /^-?\d+/.exec(its.slice(at))?.[0];
      if (digits !== undefined && its.startsWith(before) && its.slice(at + digits.length).startsWith(after[0] ?? ""))
        return Number(digits);
    }
  }
  return null;
}

function atomsIn(tree: ConditionTree): readonly Atom[] {
  if (!isQuestion(tree)) return [];
  return [...atomsOf(tree.if), ...atomsIn(tree.yes), ...atomsIn(tree.no)];
}

function atomsOf(formula: Formula): readonly Atom[] {
  if ("any" in formula) return formula.any.flatMap(atomsOf);
  return "all" in formula ? formula.all.flatMap(atomsOf) : [formula.atom];
}
