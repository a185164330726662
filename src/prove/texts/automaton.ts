import type { Reached, TextAutomaton } from "./inverse.js";
import { type CodeUnits, type Expression, parseExpression } from "./regular-expression.js";

/** The most states of an automaton. */
const MOST_STATES = 5_000;

/** The states of an automaton that a text read so far can reach: the same object for the same states. */
interface ReachedStates extends Reached {
  readonly states: readonly number[];
  readonly after: Map<number, ReachedStates>;
}

interface State {
  /** States that are reached without reading; `at` says where in the text that is possible. */
  readonly free: { readonly to: number; readonly at: "anywhere" | "start" | "end" }[];
  readonly reads: { readonly units: CodeUnits; readonly to: number }[];
}

/** A nondeterministic automaton over UTF-16 code units: matching takes time proportional to the text's length. */
export class Automaton implements TextAutomaton {
  readonly #states: State[] = [];
  readonly #first: number;
  readonly #accepting: number;
  readonly #reached = new Map<string, ReachedStates>();
  #begin: ReachedStates | null = null;

  private constructor(build: (its: Automaton) => readonly [first: number, accepting: number]) {
    [this.#first, this.#accepting] = build(this);
  }

  /** The texts in which a regular expression matches somewhere. Throws RangeError if it is too large. */
  static ofExpression(expression: Expression): Automaton {
    return new Automaton((its) => {
      const [first, last] = [its.#add(), its.#add()];
      its.#states[first]!.reads.push({ units: ANY, to: first });
      its.#states[last]!.reads.push({ units: ANY, to: last });
      its.#connect(first, its.#write(expression, last));
      return [first, last];
    });
  }

  /** The texts that begin with one, end with it, have it, or are it. */
  static ofText(text: string, where: "starts" | "ends" | "includes" | "equals"): Automaton {
    const of: Expression[] = Array.from({ length: text.length }, (_, index) => {
      const unit = text.charCodeAt(index);
      return { kind: "units", units: [[unit, unit]] };
    });
    const begin: Expression[] = where === "starts" || where === "equals" ? [{ kind: "start" }] : [];
    const end: Expression[] = where === "ends" || where === "equals" ? [{ kind: "end" }] : [];
    return Automaton.ofExpression({ kind: "sequence", of: [...begin, ...of, ...end] });
  }

  /** The texts that come before one in the order of code units. */
  static before(text: string): Automaton {
    return new Automaton((its) => {
      const accepting = its.#add();
      const less = its.#add();
      its.#states[less]!.reads.push({ units: ANY, to: less });
      its.#connect(less, accepting, "end");
      // States for the beginnings of the text: a beginning that is not the text comes before it
      let next: number | null = null;
      for (let index = text.length; index >= 0; index--) {
        const state = its.#add();
        if (index < text.length) {
          const unit = text.charCodeAt(index);
          its.#states[state]!.reads.push({ units: [[unit, unit]], to: next! });
          if (unit > 0) its.#states[state]!.reads.push({ units: [[0, unit - 1]], to: less });
          its.#connect(state, accepting, "end");
        }
        next = state;
      }
      return [next!, accepting];
    });
  }

  /** The states before anything is read. */
  begin(): ReachedStates {
    this.#begin ??= this.#intern(this.#closure([this.#first], true, false), true);
    return this.#begin;
  }

  step(reached: Reached, unit: number): ReachedStates {
    const { states, after } = reached as ReachedStates;
    const known = after.get(unit);
    if (known !== undefined) return known;
    const next: number[] = [];
    for (const state of states)
      for (const { units, to } of this.#states[state]!.reads)
        if (units.some(([from, last]) => unit >= from && unit <= last)) next.push(to);
    const result = this.#intern(this.#closure(next, false, false), false);
    after.set(unit, result);
    return result;
  }

  matches(text: string): boolean {
    let reached = this.begin();
    for (let index = 0; index < text.length; index++) reached = this.step(reached, text.charCodeAt(index));
    return reached.accepts;
  }

  /** Every range that a state reads. */
  get units(): CodeUnits {
    return this.#states.flatMap(({ reads }) => reads.flatMap(({ units }) => [...units]));
  }

  #intern(states: readonly number[], isStart: boolean): ReachedStates {
    const key = `${isStart}${states.join()}`;
    let its = this.#reached.get(key);
    if (its === undefined) {
      const accepts = this.#closure(states, isStart, true).includes(this.#accepting);
      its = { number: this.#reached.size, states, after: new Map(), accepts };
      this.#reached.set(key, its);
    }
    return its;
  }

  #closure(from: readonly number[], isStart: boolean, isEnd: boolean): readonly number[] {
    const found = new Set(from);
    for (const state of found)
      for (const { to, at } of this.#states[state]!.free)
        if (at === "anywhere" || (at === "start" ? isStart : isEnd)) found.add(to);
    return [...found].sort((one, other) => one - other);
  }

  #add(): number {
    if (this.#states.length >= MOST_STATES) throw new RangeError("the automaton is too large");
    return this.#states.push({ free: [], reads: [] }) - 1;
  }

  #connect(from: number, to: number, at: "anywhere" | "start" | "end" = "anywhere"): void {
    this.#states[from]!.free.push({ to, at });
  }

  /** Adds states that read an expression and then reach `to`; returns the first one. */
  #write(expression: Expression, to: number): number {
    const first = this.#add();
    switch (expression.kind) {
      case "units":
        this.#states[first]!.reads.push({ units: expression.units, to });
        return first;
      case "start":
      case "end":
        this.#connect(first, to, expression.kind);
        return first;
      case "sequence":
        this.#connect(
          first,
          expression.of.reduceRight((next, one) => this.#write(one, next), to),
        );
        return first;
      case "choice":
        for (const one of expression.of) this.#connect(first, this.#write(one, to));
        return first;
      case "repeat":
        this.#connect(first, this.#repeat(expression, to));
        return first;
    }
  }

  #repeat({ of, least, most }: Extract<Expression, { kind: "repeat" }>, to: number): number {
    let next = to;
    if (most === Infinity) {
      next = this.#add();
      this.#connect(next, to);
      this.#connect(next, this.#write(of, next));
    } else
      for (let count = least; count < most; count++) {
        const before = this.#write(of, next);
        const optional = this.#add();
        this.#connect(optional, before);
        this.#connect(optional, to);
        next = optional;
      }
    for (let count = 0; count < least; count++) next = this.#write(of, next);
    return next;
  }
}

const ANY: CodeUnits = [[0, 0xffff]];

const known = new Map<string, Automaton>();

/** The automaton of a regular expression in the subset. Throws TypeError for another one. */
export function expressionAutomaton(source: string, flags: string): Automaton {
  const key = `${flags}/${source}`;
  let its = known.get(key);
  if (its === undefined) {
    const expression = parseExpression(source, flags);
    if (expression === null) throw new TypeError(`/${source}/${flags} is not in the subset`);
    its = Automaton.ofExpression(expression);
    if (known.size > MOST_KNOWN) known.clear();
    known.set(key, its);
  }
  return its;
}

const MOST_KNOWN = 1_000;
