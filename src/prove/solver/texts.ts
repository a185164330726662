import { Automaton } from "../texts/automaton.js";
import { parseExpression } from "../texts/regular-expression.js";
import { type TextRule, wordsOf } from "../texts/words.js";
import type { Condition } from "./condition.js";
import type { Effort } from "./effort.js";
import { type DomainOf, likelyTexts, type MeasureOf, partOf, takeSteps } from "./text-parts.js";
import {
  consequences,
  isAsRequired,
  proposals,
  type SolvedRelation,
  type SolvedSum,
  textsIn,
} from "./text-relations.js";
import { partRule, type Rule, TESTS } from "./text-rules.js";

/** A text that is one of some, or none of them. */
export interface Membership {
  readonly of: string;
  readonly among: boolean;
  readonly texts: readonly string[];
}

type Found = ReadonlyMap<string, string> | "unsatisfiable" | "unknown";

/** What is known about texts that are equal. */
interface Class {
  readonly names: string[];
  /** The texts that it can be; null for any. */
  allowed: ReadonlySet<string> | null;
  readonly excluded: Set<string>;
  readonly starts: string[];
  readonly ends: string[];
  readonly includes: string[];
  readonly matches: string[];
  readonly compares: string[];
  /** Regular expressions, texts that it is compared with by order, and conditions on its parts and its length. */
  readonly rules: Rule[];
  /** The known names of a type that has others, too. */
  readonly vocabulary: readonly string[];
  readonly not: { readonly kind: keyof typeof TESTS; readonly text: string }[];
  readonly hex: Set<number>;
  readonly apart: Set<Class>;
}

/**
 * Finds a text for each symbol, such that all conditions are true. `unsatisfiable` is certain; `unknown` means that
 * neither was found. Texts are sequences of UTF-16 code units. `relations` are those of the conditions, null if they
 * cannot be solved.
 */
export function findTexts(
  conditions: readonly Condition[],
  memberships: readonly Membership[],
  domainOf: DomainOf,
  namesOf: (type: string) => readonly string[],
  effort: Effort,
  joint: JointConditions | null = NONE,
): Found {
  const relations = joint === null ? [] : [...joint.relations, ...sameParts(conditions, domainOf)];
  const classes = new Map<string, Class>();
  const classOf = (name: string): Class => {
    const known = classes.get(name);
    if (known !== undefined) return known;
    const domain = domainOf(name);
    const [hex, names] = domain?.kind === "text" ? [domain.hex, domain.names] : [null, null];
    const made: Class = {
      ...{
        names: [name],
        allowed: textsOf(domain) ?? namesIn(names, namesOf),
        excluded: new Set(),
        starts: [],
        ends: [],
        includes: [],
      },
      ...{ matches: [], compares: [], rules: [], not: [] },
      ...{ vocabulary: names === null ? [] : namesOf(names) },
      ...{ hex: new Set(hex === null ? [] : [hex]), apart: new Set() },
    };
    classes.set(name, made);
    return made;
  };
  const isPart = (name: string) => partOf(name, domainOf).steps.length > 0;
  for (const { atom, is } of conditions)
    if (atom.kind === "same" && is && !isPart(atom.of) && !isPart(atom.other))
      join(classes, classOf(atom.of), classOf(atom.other));
  for (const { atom, is } of [...conditions, ...relations.flatMap(consequences)]) {
    const rule = partRule({ atom, is }, domainOf, (joint ?? NONE).measureOf);
    if (rule !== null) classOf(rule.of).rules.push(rule.rule);
    else if (atom.kind === "same" && (isPart(atom.of) || isPart(atom.other))) continue;
    else if (atom.kind === "same" && !is) {
      const [one, other] = [classOf(atom.of), classOf(atom.other)];
      if (one === other) return "unsatisfiable";
      one.apart.add(other);
      other.apart.add(one);
    } else if (atom.kind === "equals") restrict(classOf(atom.of), is, [atom.text]);
    else if (Object.hasOwn(TESTS, atom.kind)) {
      const { kind, of, text } = atom as Extract<typeof atom, { kind: keyof typeof TESTS }>;
      if (!is) classOf(of).not.push({ kind, text });
      else {
        classOf(of)[kind].push(text);
        if (kind === "matches") fixEnds(classOf(of), text);
      }
    }
  }
  for (const { of, among, texts } of memberships) restrict(classOf(of), among, texts);
  const wholes = [
    ...relations.flatMap(textsIn),
    ...(joint?.sums ?? []).flatMap(({ measures }) => measures.map(({ of }) => of)),
  ];
  for (const name of wholes) classOf(partOf(name, domainOf).whole);
  const textIn = (chosen: ReadonlyMap<Class, string>) => (name: string) => {
    const { whole, steps } = partOf(name, domainOf);
    const text = chosen.get(classOf(whole));
    return text === undefined ? undefined : takeSteps(text, steps);
  };
  const measures = (joint?.sums ?? []).flatMap((one) => one.measures.map(({ measure }) => measure));
  const likely = likelyTexts(
    wholes.flatMap((name) => partOf(name, domainOf).steps),
    measures,
  );
  return assign([...new Set(classes.values())], joint && { ...joint, relations }, textIn, likely, effort);
}

/** Conditions on several texts that the search must satisfy. */
export interface JointConditions {
  readonly relations: readonly SolvedRelation[];
  readonly sums: readonly SolvedSum[];
  /** What a number is if it is found in a text by itself; null for any other number. */
  readonly measureOf: (name: string) => MeasureOf | null;
}

const NONE: JointConditions = { relations: [], sums: [], measureOf: () => null };

/** Equalities of which a side is a part of a text. */
function sameParts(conditions: readonly Condition[], domainOf: DomainOf): readonly SolvedRelation[] {
  const isPart = (name: string) => partOf(name, domainOf).steps.length > 0;
  return conditions.flatMap(({ atom, is }) => {
    if (atom.kind !== "same" || !(isPart(atom.of) || isPart(atom.other))) return [];
    const [left, right] = [[{ text: atom.of }], [{ text: atom.other }]];
    return [{ relation: "equal", left, right, is, isExact: true } as const];
  });
}

/** The texts that a JSON value can be; null for any. An array is compared as the text that it is written as. */
function textsOf(domain: ReturnType<DomainOf>): ReadonlySet<string> | null {
  const its = domain?.kind === "json" ? domain.domain : undefined;
  return its === undefined || its.texts === null || its.types.includes("array") ? null : new Set(its.texts);
}

/** The names of a type, if facts have no others: a newer one is `unknown`. A newer helper is `helper#212`. */
function namesIn(type: string | null, namesOf: (type: string) => readonly string[]): ReadonlySet<string> | null {
  if (type === null) return null;
  const names = namesOf(type);
  let found = closed.get(names);
  if (found === undefined) {
    found = names.includes("unknown") ? new Set(names) : null;
    closed.set(names, found);
  }
  return found;
}

const closed = new WeakMap<readonly string[], ReadonlySet<string> | null>();

/** A text that matches a pattern begins and ends as the pattern does, up to its first and from its last wildcard. */
function fixEnds(its: Class, pattern: string): void {
  const [start, end] = [/^[^*?]*/.exec(pattern)![0], /[^*?]*$/.exec(pattern)![0]];
  // Patterns are compared by code points, the beginnings of texts by code units
  if (!SURROGATE.test(start)) its.starts.push(start);
  if (!SURROGATE.test(end)) its.ends.push(end);
}

const SURROGATE = /[\ud800-\udfff]/;

function join(classes: Map<string, Class>, one: Class, other: Class): void {
  if (one === other) return;
  one.names.push(...other.names);
  if (other.allowed !== null) restrict(one, true, [...other.allowed]);
  for (const bytes of other.hex) one.hex.add(bytes);
  for (const name of other.names) classes.set(name, one);
}

function restrict(of: Class, isAmong: boolean, texts: readonly string[]): void {
  if (isAmong) of.allowed = new Set(texts.filter((text) => of.allowed?.has(text) ?? true));
  else for (const text of texts) of.excluded.add(text);
}

/** Whether a text satisfies everything that is known about a class by itself. */
function fits(its: Class, text: string): boolean {
  return (
    (its.allowed?.has(text) ?? true) &&
    !its.excluded.has(text) &&
    (["starts", "ends", "includes", "matches", "compares"] as const).every((kind) =>
      its[kind].every((part) => TESTS[kind](text, part)),
    ) &&
    its.not.every(({ kind, text: part }) => !TESTS[kind](text, part)) &&
    its.rules.every(({ test, is }) => test(text) === is) &&
    [...its.hex].every((bytes) => text.length === 2 * bytes && /^[0-9a-f]*$/.test(text))
  );
}

function assign(
  classes: readonly Class[],
  joint: JointConditions | null,
  textIn: (chosen: ReadonlyMap<Class, string>) => (name: string) => string | undefined,
  likely: readonly string[],
  effort: Effort,
): Found {
  const finite = classes.map((its) =>
    its.allowed === null ? null : [...its.allowed].filter((text) => fits(its, text)),
  );
  if (finite.some((texts) => texts?.length === 0) || classes.some(contradicts)) return "unsatisfiable";
  const { relations, sums } = joint ?? NONE;
  const chosen = new Map<Class, string>();
  const textOf = textIn(chosen);
  const order = inOrder(classes, finite, relations);
  let rounds = 0;
  let isStopped = false;
  const choose = (index: number): boolean => {
    if (index === order.length)
      return relations.every((one) => isAsRequired(one, textOf) === true) && sums.every((one) => one.holds(textOf));
    const its = classes[order[index]!]!;
    for (const text of finite[order[index]!] ?? candidates(its, relations, textOf, likely)) {
      if (++rounds > MOST_ROUNDS || !effort.spend()) {
        isStopped = true;
        return false;
      }
      if (!fits(its, text) || [...its.apart].some((other) => chosen.get(other) === text)) continue;
      chosen.set(its, text);
      if (relations.every((one) => isAsRequired(one, textOf) !== false) && choose(index + 1)) return true;
      chosen.delete(its);
    }
    return false;
  };
  if (joint !== null && choose(0))
    return new Map(classes.flatMap((its) => its.names.map((name) => [name, chosen.get(its)!] as const)));
  if (classes.some((its) => its.allowed === null && wordsFor(its)?.length === 0)) return "unsatisfiable";
  // All possibilities were tried if each class has only a few, and if nothing else was chosen
  const isExact = joint !== null && sums.length === 0 && relations.every((one) => one.isExact);
  return isExact && finite.every((texts) => texts !== null) && !isStopped ? "unsatisfiable" : "unknown";
}

/** Classes with few texts first; those that are to have a relation to others after these. */
function inOrder(
  classes: readonly Class[],
  finite: readonly (readonly string[] | null)[],
  relations: readonly SolvedRelation[],
): readonly number[] {
  const isWhole = ({ names }: Class) =>
    relations.some(({ left, is }) => {
      return is && left.some((part) => typeof part !== "string" && "text" in part && names.includes(part.text));
    });
  const rank = (index: number) => finite[index]?.length ?? (isWhole(classes[index]!) ? Number.MAX_VALUE : 2 ** 53);
  return [...classes.keys()].sort((a, b) => rank(a) - rank(b));
}

const MOST_ROUNDS = 10_000;

/** Whether the conditions on the beginning, or those on the end, contradict each other. */
function contradicts(its: Class): boolean {
  if (its.hex.size > 1) return true;
  const [bytes] = its.hex;
  const cannotBe = (part: string) => part.length > 2 * bytes! || !/^[0-9a-f]*$/.test(part);
  if (bytes !== undefined && [...its.starts, ...its.ends, ...its.includes].some(cannotBe)) return true;
  const longest = (texts: readonly string[]) =>
    texts.reduce((one, other) => (other.length > one.length ? other : one), "");
  const [start, end] = [longest(its.starts), longest(its.ends)];
  if (its.starts.some((text) => !start.startsWith(text)) || its.ends.some((text) => !end.endsWith(text))) return true;
  const surely = {
    starts: (part: string) => start.startsWith(part),
    ends: (part: string) => end.endsWith(part),
    includes: (part: string) => [start, end, ...its.includes].some((text) => text.includes(part)),
    matches: (pattern: string) => its.matches.includes(pattern),
    compares: (comparison: string) => its.compares.includes(comparison),
  };
  return its.not.some(({ kind, text }) => surely[kind](text));
}

/** Texts that may fit, those first that have the relations to others which they must have. */
function* candidates(
  its: Class,
  relations: readonly SolvedRelation[],
  textOf: (name: string) => string | undefined,
  likely: readonly string[],
): Generator<string> {
  const own = relations.length === 0 ? [] : firstOf(MOST_FILLINGS, ownCandidates(its));
  const proposed = its.names.flatMap((name) => proposals(name, relations, textOf, own));
  for (const texts of proposed) yield* texts;
  yield* likely;
  // Few others have such a relation
  yield* proposed.length > 0 ? own : ownCandidates(its);
}

const MOST_FILLINGS = 20;

function firstOf<T>(count: number, all: Iterable<T>): readonly T[] {
  const found: T[] = [];
  for (const one of all) if (found.push(one) === count) break;
  return found;
}

/** Texts that may fit by themselves, the likeliest first. */
function* ownCandidates(its: Class): Generator<string> {
  const longest = (texts: readonly string[]) =>
    texts.reduce((one, other) => (other.length > one.length ? other : one), "");
  const [start, end, middle] = [longest(its.starts), longest(its.ends), its.includes.join("")];
  const [bytes] = its.hex;
  yield* its.vocabulary;
  const compared = [...its.compares, ...its.not.flatMap(({ kind, text }) => (kind === "compares" ? [text] : []))];
  for (const comparison of compared)
    for (const by of [0, 1, -1, 0.5, -0.5]) yield String(Number(comparison.split(" ")[1]) + by);
  if (its.rules.length > 0) yield* wordsFor(its) ?? [];
  for (const pattern of its.matches)
    for (const filling of ["x", "", `x${middle}`, `x${end}`])
      yield pattern.replace(/\*\*?|\?/g, (wild) => (wild === "?" ? "x" : filling));
  for (let number = 0; number < MOST_CANDIDATES; number++) {
    if (bytes !== undefined) {
      const digits = 2 * bytes - start.length - middle.length - end.length;
      const filling = number.toString(16).padStart(digits, "0");
      if (digits > 0 || number === 0) yield start + middle + (digits > 0 ? filling : "") + end;
      continue;
    }
    yield start + middle + (number === 0 ? "" : `x${number}`) + end;
    if (number === 0 && middle === "" && start.endsWith(end)) yield start;
  }
}

const MOST_CANDIDATES = 2_000;

const words = new Map<string, readonly string[] | null>();
const MOST_WORDS = 20;
const MOST_KNOWN = 2_000;

/** Short texts for a class by itself, without patterns of scopes; an empty array if there are certainly none. */
function wordsFor(its: Class): readonly string[] | null {
  const key = JSON.stringify([
    ...[its.starts, its.ends, its.includes, its.not, [...its.excluded], [...its.hex]],
    its.rules.map(({ name, is }) => [name, is]),
  ]);
  let found = words.get(key);
  if (found === undefined) {
    try {
      found = wordsOf(allRules(its), MOST_WORDS);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      found = null;
    }
    if (words.size > MOST_KNOWN) words.clear();
    words.set(key, found);
  }
  return found;
}

function allRules(its: Class): readonly TextRule[] {
  const positive = (["starts", "ends", "includes"] as const).flatMap((kind) =>
    its[kind].map((text) => ({ automaton: Automaton.ofText(text, kind), is: true })),
  );
  const negative = its.not.flatMap(({ kind, text }) =>
    kind === "matches" || kind === "compares" ? [] : [{ automaton: Automaton.ofText(text, kind), is: false }],
  );
  const excluded = [...its.excluded].map((text) => ({ automaton: Automaton.ofText(text, "equals"), is: false }));
  const hex = [...its.hex].map((bytes) => {
    const digit = parseExpression("[0-9a-f]", "")!;
    const digits = { kind: "repeat", of: digit, least: 2 * bytes, most: 2 * bytes } as const;
    const whole = { kind: "sequence", of: [{ kind: "start" }, digits, { kind: "end" }] } as const;
    return { automaton: Automaton.ofExpression(whole), is: true };
  });
  const rules = its.rules.map(({ automaton, is }) => ({ automaton: automaton(), is }));
  return [...positive, ...negative, ...excluded, ...hex, ...rules];
}
