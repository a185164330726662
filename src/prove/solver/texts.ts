import { Glob } from "../../policy/scope/glob.js";
import type { SymbolDomain } from "../shared/atom.js";
import { Automaton, expressionAutomaton } from "../texts/automaton.js";
import { comparesAsNumber } from "../texts/numeric-text.js";
import { parseExpression } from "../texts/regular-expression.js";
import { type TextRule, wordsOf } from "../texts/words.js";
import type { Condition } from "./condition.js";
import type { Effort } from "./effort.js";
import { consequences, isAsRequired, proposals, type SolvedRelation } from "./text-relations.js";

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
  /** Regular expressions and texts that it is compared with by order. */
  readonly rules: (TextRule & { readonly name: string })[];
  /** The known names of a type that has others, too. */
  readonly vocabulary: readonly string[];
  readonly not: { readonly kind: keyof typeof TESTS; readonly text: string }[];
  readonly hex: Set<number>;
  readonly apart: Set<Class>;
}

const TESTS = {
  starts: (text: string, part: string) => text.startsWith(part),
  ends: (text: string, part: string) => text.endsWith(part),
  includes: (text: string, part: string) => text.includes(part),
  matches: (text: string, pattern: string) => new Glob(pattern).matches(text),
  compares: comparesAsNumber,
};

/**
 * Finds a text for each symbol, such that all conditions are true. `unsatisfiable` is certain; `unknown` means that
 * neither was found. Texts are sequences of UTF-16 code units. `relations` are those of the conditions, null if they
 * cannot be solved.
 */
export function findTexts(
  conditions: readonly Condition[],
  memberships: readonly Membership[],
  domainOf: (name: string) => SymbolDomain | undefined,
  namesOf: (type: string) => readonly string[],
  effort: Effort,
  relations: readonly SolvedRelation[] | null = [],
): Found {
  const classes = new Map<string, Class>();
  const classOf = (name: string): Class => {
    const known = classes.get(name);
    if (known !== undefined) return known;
    const domain = domainOf(name);
    const [hex, names] = domain?.kind === "text" ? [domain.hex, domain.names] : [null, null];
    const made: Class = {
      ...{ names: [name], allowed: namesIn(names, namesOf), excluded: new Set(), starts: [], ends: [], includes: [] },
      ...{ matches: [], compares: [], rules: [], not: [] },
      ...{ vocabulary: names === null ? [] : namesOf(names) },
      ...{ hex: new Set(hex === null ? [] : [hex]), apart: new Set() },
    };
    classes.set(name, made);
    return made;
  };
  for (const { atom, is } of conditions)
    if (atom.kind === "same" && is) join(classes, classOf(atom.of), classOf(atom.other));
  for (const { atom, is } of [...conditions, ...(relations ?? []).flatMap(consequences)]) {
    if (atom.kind === "same" && !is) {
      const [one, other] = [classOf(atom.of), classOf(atom.other)];
      if (one === other) return "unsatisfiable";
      one.apart.add(other);
      other.apart.add(one);
    } else if (atom.kind === "equals") restrict(classOf(atom.of), is, [atom.text]);
    else if (atom.kind === "regex" || atom.kind === "before") classOf(atom.of).rules.push(ruleOf(atom, is));
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
  for (const { left, right } of relations ?? [])
    for (const part of [...left, ...right]) if (typeof part !== "string" && "text" in part) classOf(part.text);
  return assign([...new Set(classes.values())], relations, (name) => classes.get(name)!, effort);
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
    its.rules.every(({ automaton, is }) => automaton.matches(text) === is) &&
    [...its.hex].every((bytes) => text.length === 2 * bytes && /^[0-9a-f]*$/.test(text))
  );
}

function assign(
  classes: readonly Class[],
  relations: readonly SolvedRelation[] | null,
  classOf: (name: string) => Class,
  effort: Effort,
): Found {
  const finite = classes.map((its) =>
    its.allowed === null ? null : [...its.allowed].filter((text) => fits(its, text)),
  );
  if (finite.some((texts) => texts?.length === 0) || classes.some(contradicts)) return "unsatisfiable";
  const chosen = new Map<Class, string>();
  const textOf = (name: string) => chosen.get(classOf(name));
  const order = inOrder(classes, finite, relations ?? []);
  let rounds = 0;
  let isStopped = false;
  const choose = (index: number): boolean => {
    if (index === order.length) return relations!.every((one) => isAsRequired(one, textOf) === true);
    const its = classes[order[index]!]!;
    for (const text of finite[order[index]!] ?? candidates(its, relations ?? [], textOf)) {
      if (++rounds > MOST_ROUNDS || !effort.spend()) {
        isStopped = true;
        return false;
      }
      if (!fits(its, text) || [...its.apart].some((other) => chosen.get(other) === text)) continue;
      chosen.set(its, text);
      if (relations!.every((one) => isAsRequired(one, textOf) !== false) && choose(index + 1)) return true;
      chosen.delete(its);
    }
    return false;
  };
  if (relations !== null && choose(0))
    return new Map(classes.flatMap((its) => its.names.map((name) => [name, chosen.get(its)!] as const)));
  if (classes.some((its) => its.allowed === null && wordsFor(its)?.length === 0)) return "unsatisfiable";
  // All possibilities were tried if each class has only a few, and if nothing else was chosen
  const isExact = relations?.every((one) => one.isExact) === true;
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
): Generator<string> {
  const own = relations.length === 0 ? [] : firstOf(MOST_FILLINGS, ownCandidates(its));
  const proposed = its.names.flatMap((name) => proposals(name, relations, textOf, own));
  for (const texts of proposed) yield* texts;
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

type RuleAtom = Extract<Condition["atom"], { kind: "regex" | "before" }>;

function ruleOf(atom: RuleAtom, is: boolean): Class["rules"][number] {
  const automaton = atom.kind === "before" ? Automaton.before(atom.text) : expressionAutomaton(atom.text, atom.flags);
  return { automaton, is, name: JSON.stringify(atom) };
}

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
  return [...positive, ...negative, ...excluded, ...hex, ...its.rules];
}
