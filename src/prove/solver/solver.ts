import { channel } from "node:diagnostics_channel";
import type { FactClause, FactLiteral } from "../../bpf/program-constraints.js";
import {
  type Atom,
  type ElementCase,
  JSON_TYPES,
  type JsonType,
  type Origin,
  type SymbolDomain,
} from "../shared/atom.js";
import type { KnownMaps } from "../shared/known-maps.js";
import { type Condition, flagOf, keyOf } from "./condition.js";
import { Effort } from "./effort.js";
import { namesIn } from "./element-conditions.js";
import { foldedClauses } from "./folded-lists.js";
import { keyLimits } from "./key-limits.js";
import { type Clause, domainIn, type ListElement, type ListProblem, listProblems } from "./lists.js";
import { findNumbers } from "./numbers.js";
import { type DomainOf, measureIn, wholeNames } from "./text-parts.js";
import { relationsIn, sumsIn } from "./text-relations.js";
import { findTexts, type JointConditions, type Membership } from "./texts.js";

/** A value for each symbol that conditions name. */
export interface Model {
  readonly flags: ReadonlyMap<string, boolean>;
  readonly texts: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, JsonType>;
  /** Elements that lists have, in the order in which they were first named. */
  readonly elements: readonly ListElement[];
}

/** `unsatisfiable` is certain. `unknown` means that no values were found, and that there may be some. */
export type Answer = Model | "unsatisfiable" | "unknown";

/** What a solver knows apart from the conditions. */
export interface Knowledge {
  readonly symbols: ReadonlyMap<string, SymbolDomain>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** The constraints between facts of the subject, whose name comes before theirs. */
  readonly clauses: readonly FactClause[];
  readonly argument: string;
  /** What is known of maps; absent for nothing. */
  readonly known?: KnownMaps;
  readonly namesOf: (type: string) => readonly string[];
}

/** A question to the solver and its answer. */
export interface Query {
  readonly conditions: readonly Condition[];
  readonly knowledge: Knowledge;
  readonly answer: Answer;
}

/** Publishes each {@link Query}, so that another solver can be asked the same. */
export const QUERIES = channel("countersign:prove:query");

/** Finds values for which all conditions are true, under the constraints between facts. */
export function solve(conditions: readonly Condition[], knowledge: Knowledge): Answer {
  const answer = answerTo(conditions, knowledge);
  if (QUERIES.hasSubscribers) QUERIES.publish({ conditions, knowledge, answer } satisfies Query);
  return answer;
}

function answerTo(conditions: readonly Condition[], knowledge: Knowledge): Answer {
  const effort = new Effort();
  const clauses = foldedClauses(conditions, knowledge);
  if (clauses.length === 0) return solveAny(conditions, knowledge, effort);
  return (
    withFirst(conditions, clauses, knowledge) ?? chosen(conditions, clauses, (one) => solveAny(one, knowledge, effort))
  );
}

/** Chooses, for each condition that a case holds or that none does, what makes it true. */
function solveAny(conditions: readonly Condition[], knowledge: Knowledge, effort: Effort): Answer {
  const clauses = conditions.flatMap(({ atom, is }) => (atom.kind === "any" ? anyClauses(atom.where, is) : []));
  const others = conditions.filter(({ atom }) => atom.kind !== "any");
  if (clauses.length === 0 && others.length === conditions.length) return solveListed(conditions, knowledge, effort);
  return withFirst(others, clauses, knowledge) ?? chosen(others, clauses, (one) => solveAny(one, knowledge, effort));
}

/**
 * A fast path: solves the first alternative of each clause that does not directly contradict a condition, all together.
 * Null unless that gives a model: the caller then searches all alternatives, with the whole of its effort.
 */
function withFirst(conditions: readonly Condition[], clauses: readonly Clause[], knowledge: Knowledge): Model | null {
  const first = firstOf(clauses, conditions);
  const answer = first.length === 0 ? "unknown" : solveAny([...conditions, ...first], knowledge, new Effort());
  return typeof answer === "string" ? null : answer;
}

/** The alternatives that {@link withFirst} takes; empty if a clause has none. */
function firstOf(clauses: readonly Clause[], conditions: readonly Condition[]): readonly Condition[] {
  const sure = clauses.flatMap((clause) => (clause.length === 1 ? clause[0]! : []));
  const denied = new Set([...conditions, ...sure].map(({ atom, is }) => `${!is} ${keyOf(atom)}`));
  const found = clauses.map((clause) =>
    clause.find((one) => !one.some(({ atom, is }) => denied.has(`${is} ${keyOf(atom)}`))),
  );
  return found.includes(undefined) ? [] : found.flatMap((one) => one!);
}

function anyClauses(where: readonly ElementCase[], is: boolean): readonly Clause[] {
  if (is) return [where];
  // The conditions of a case say something only after those before them
  return where.map((one) => one.map(({ atom, is }, index) => [...one.slice(0, index), { atom, is: !is }]));
}

function solveListed(conditions: readonly Condition[], knowledge: Knowledge, effort: Effort): Answer {
  const problems = listProblems(conditions, knowledge);
  if (problems === null) return solveFlat(conditions, knowledge, [], effort);
  let result: Answer = "unsatisfiable";
  for (const problem of problems) {
    const found = solveLists(problem, knowledge, effort);
    if (typeof found !== "string") return found;
    if (found === "unknown") result = found;
  }
  return result;
}

function solveLists(lists: ListProblem, knowledge: Knowledge, effort: Effort): Answer {
  return chosen(lists.conditions, lists.clauses, (one) => solveFlat(one, knowledge, lists.elements, effort));
}

/** The answer to conditions with an alternative of each clause. */
function chosen(
  conditions: readonly Condition[],
  clauses: readonly Clause[],
  answerTo: (conditions: readonly Condition[]) => Answer,
): Answer {
  // Clauses without a choice come first: they refute much
  const sure = clauses.flatMap((clause) => (clause.length === 1 ? clause[0]! : []));
  let rounds = 0;
  const choose = (chosen: readonly Condition[], clauses: readonly Clause[]): Answer => {
    const answer = ++rounds > MOST_CHOICES ? "unknown" : answerTo(chosen);
    const [clause, ...rest] = clauses;
    if (answer === "unsatisfiable" || clause === undefined || rounds > MOST_CHOICES) return answer;
    let result: Answer = "unsatisfiable";
    for (const alternative of clause) {
      const found = choose([...chosen, ...alternative], rest);
      if (typeof found !== "string") return found;
      if (found === "unknown") result = found;
    }
    return result;
  };
  if (clauses.some(({ length }) => length === 0)) return "unsatisfiable";
  return choose(
    [...conditions, ...sure],
    clauses.filter(({ length }) => length > 1),
  );
}

const MOST_CHOICES = 300;

/** Finds values for conditions without any that are about all elements of a list. */
function solveFlat(
  conditions: readonly Condition[],
  knowledge: Knowledge,
  elements: readonly ListElement[],
  effort: Effort,
): Answer {
  const domainOf = domainIn(knowledge, elements);
  const flags = new Map<string, boolean>();
  const types = new Map<string, readonly JsonType[]>();
  const compared = new Map<string, boolean>();
  for (const name of conditions.flatMap(({ atom }) => namesIn(atom))) {
    const among = possibleTypes(domainOf(name));
    if (among !== null) types.set(name, among);
  }
  for (const { atom, is } of conditions) {
    if (atom.kind === "texts") {
      const key = keyOf(atom);
      if (compared.get(key) === !is) return "unsatisfiable";
      compared.set(key, is);
    }
    const flag = flagOf(atom);
    if (flag !== null) {
      if (flags.get(flag) === !is) return "unsatisfiable";
      flags.set(flag, is);
    }
    const among = typesIn(atom);
    if (among === null || !("of" in atom) || (atom.kind === "written" && is)) continue;
    const before = types.get(atom.of) ?? JSON_TYPES;
    const left = before.filter((type) => among.includes(type) === (is || atom.kind === "written"));
    if (left.length === 0) return "unsatisfiable";
    types.set(atom.of, left);
  }
  const numbers = findNumbers(conditions, domainOf, knowledge.origins, effort);
  if (numbers === "unsatisfiable") return numbers;
  const chosenNumbers = new Map(typeof numbers === "string" ? [] : numbers);
  // Before relations choose types
  const texts = new Set([...types].flatMap(([name, left]) => (left.join() === "string" ? [name] : [])));
  const measureOf = (name: string) => measureIn(name, domainOf, (of) => texts.has(of));
  const isMeasured = (name: string) => measureOf(name) !== null;
  const relations = relationsIn(conditions, domainOf, { numbers: chosenNumbers, types }, isMeasured);
  const sums = sumsIn(conditions, measureOf, chosenNumbers);
  const joint = relations && { relations, sums, measureOf };
  const keys = keyLimits(flags, knowledge);
  const search = new Search([...conditions, ...keys.conditions], knowledge, domainOf, joint, effort);
  const found = search.from(connected(conditions, knowledge, domainOf), flags, keys.memberships);
  if (typeof found === "string" || typeof numbers === "string") return found === "unsatisfiable" ? found : "unknown";
  // What is found in texts follows from them
  const others = new Map([...chosenNumbers].filter(([name]) => !isMeasured(name)));
  const chosen = new Map([...types].map(([name, left]) => [name, preferred(left)] as const));
  return { flags: found.flags, texts: found.texts, numbers: others, types: chosen, elements };
}

/** The types of a value that cannot have all of them; null for any other symbol. */
function possibleTypes(domain: SymbolDomain | undefined): readonly JsonType[] | null {
  if (domain?.kind === "integer or text") return ["number", "string"];
  return (domain?.kind === "json" && domain.domain?.types) || null;
}

/** The types that a condition is about. Only arrays and objects cannot be written as texts. */
function typesIn(atom: Atom): readonly JsonType[] | null {
  if (atom.kind === "type") return atom.among;
  return atom.kind === "written" ? ["array", "object"] : null;
}

function preferred(types: readonly JsonType[]): JsonType {
  return types.find((type) => type === "object" || type === "number" || type === "string") ?? types[0]!;
}

/** The clauses with facts that the conditions name, and those with facts of these clauses. */
function connected(
  conditions: readonly Condition[],
  { clauses, argument }: Knowledge,
  domainOf: DomainOf,
): readonly FactClause[] {
  const named = new Set(conditions.flatMap(({ atom }) => wholeNames(namesIn(atom), domainOf)));
  const taken = new Set<FactClause>();
  for (let before = -1; before !== taken.size; ) {
    before = taken.size;
    for (const clause of clauses) {
      if (taken.has(clause) || !clause.any.some(({ fact }) => named.has(`${argument}.${fact}`))) continue;
      taken.add(clause);
      for (const { fact } of clause.any) named.add(`${argument}.${fact}`);
    }
  }
  return [...taken];
}

type Found = Pick<Model, "flags" | "texts"> | "unsatisfiable" | "unknown";

/** Chooses a literal of each clause to be true. */
class Search {
  #rounds = 0;
  readonly #texts: readonly Condition[];

  constructor(
    conditions: readonly Condition[],
    private readonly knowledge: Knowledge,
    private readonly domainOf: (name: string) => SymbolDomain | undefined,
    private readonly joint: JointConditions | null,
    private readonly effort: Effort,
  ) {
    this.#texts = conditions.filter(({ atom }) => flagOf(atom) === null);
  }

  from(clauses: readonly FactClause[], flags: ReadonlyMap<string, boolean>, memberships: readonly Membership[]): Found {
    if (++this.#rounds > MOST_ROUNDS) return "unknown";
    const { argument, namesOf } = this.knowledge;
    const texts = findTexts(this.#texts, memberships, this.domainOf, namesOf, this.effort, this.joint);
    if (texts === "unsatisfiable") return texts;
    const open = clauses.filter(({ any }) => !any.some((literal) => this.#isTrue(literal, flags, memberships)));
    const choices = open.map(({ any }) => any.filter((literal) => !this.#isFalse(literal, flags)));
    const [fewest] = choices.sort((one, other) => one.length - other.length);
    if (fewest === undefined) return texts === "unknown" ? texts : { flags, texts };
    let result: Found = "unsatisfiable";
    for (const literal of fewest) {
      const name = `${argument}.${literal.fact}`;
      const found: Found =
        "is" in literal
          ? this.from(open, new Map(flags).set(name, literal.is), memberships)
          : this.from(open, flags, [...memberships, { of: name, among: literal.among, texts: literal.of }]);
      if (typeof found !== "string") return found;
      if (found === "unknown") result = found;
    }
    return result;
  }

  #isTrue(literal: FactLiteral, flags: ReadonlyMap<string, boolean>, memberships: readonly Membership[]): boolean {
    const name = `${this.knowledge.argument}.${literal.fact}`;
    if ("is" in literal) return flags.get(name) === literal.is;
    return memberships.some(({ of, among, texts }) => of === name && among === literal.among && texts === literal.of);
  }

  #isFalse(literal: FactLiteral, flags: ReadonlyMap<string, boolean>): boolean {
    return "is" in literal && flags.get(`${this.knowledge.argument}.${literal.fact}`) === !literal.is;
  }
}

const MOST_ROUNDS = 500;
