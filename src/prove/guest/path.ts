import { map_lookup, map_update } from "countersign";
import type { FactDomain } from "../../fact-type.js";
import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import type { TaskCondition } from "../../policy/scope/task-condition.js";
import {
  type Atom,
  type ElementCase,
  type ElementValue,
  type FoldedOrigin,
  type JsonType,
  type LoopCases,
  type Origin,
  type PathEnd,
  type Request,
  type SymbolDomain,
  TEST_ANSWERS,
} from "../shared/atom.js";
import type { KnownMaps } from "../shared/known-maps.js";
import { namesIn } from "../solver/element-conditions.js";

/** The names that policies of a configuration can give to helpers. */
export interface ConfiguredNames {
  readonly keyrings: readonly string[];
  readonly maps: readonly string[];
  readonly known: KnownMaps;
}

export interface Configuration extends ConfiguredNames {
  readonly mode: Mode;
  readonly default: HookDefault;
  readonly attachments: readonly AttachmentRow[];
}

/** A configuration that is compared with another one. */
export interface ComparedConfiguration extends Configuration {
  /** For each attachment of both, the number of its policy among all that can be asked. */
  readonly hooks: { readonly old: readonly number[]; readonly new: readonly number[] };
  /** Attachments that both ask in the same way, as pairs of their numbers in ascending order. */
  readonly common: readonly (readonly [old: number, new: number])[];
  /** Whether a difference only in reasons, denying attachments or faults is looked for. */
  readonly comparesReasons: boolean;
}

export interface AttachmentRow {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "deny" | "allow";
  readonly scope: TaskCondition;
}

/** What the host says at the beginning of a path. */
export interface Beginning extends ConfiguredNames {
  readonly hook: HookName;
  /** What is known of maps for whichever of two configurations looks them up. */
  readonly known: KnownMaps;
  readonly argument: string;
  readonly subject: Readonly<Record<string, FactDomain>>;
  readonly current: Readonly<Record<string, FactDomain>>;
  readonly results: Readonly<Record<string, Readonly<Record<string, FactDomain>>>>;
  /** Facts with a fixed value at this hook. */
  readonly fixed: Readonly<Record<string, null | boolean>>;
  /** Facts that are multiples of another: name, factor, name. */
  readonly multiples: readonly (readonly [string, number, string])[];
  /** The attachments of a configuration at this hook, in order; null if one policy is explored by itself. */
  readonly configuration: Configuration | null;
  /** A second configuration, whose decision is compared with that of the first; null for none. */
  readonly compared: ComparedConfiguration | null;
  readonly detached: readonly string[];
  readonly attached: readonly string[];
  /** Names that objects, arrays, texts, numbers and booleans inherit. */
  readonly inherited: Readonly<Record<"object" | "array" | "string" | "number" | "boolean", readonly string[]>>;
}

const { stringify } = JSON;

/** Requests without an answer, which the next call takes along: a call of the host takes long. */
let waiting: Request[] = [];

function withWaiting(...requests: readonly Request[]): readonly Request[] {
  const all = [...waiting, ...requests];
  waiting = [];
  return all;
}

/** Calls the host. The sandbox offers the calls of a map; the host answers them for this policy only. */
function tell(...requests: readonly Request[]): unknown {
  return map_lookup("explorer", stringify(withWaiting(...requests)));
}

export const beginning = tell({ ask: "begin" }) as Beginning;

/** Thrown to leave the policy. A policy that catches it changes nothing: the path has ended. */
const STOP = { __proto__: null };
let end: PathEnd | null = null;
/** True while the files of policies are executed, before any hook is called. */
let isLoading = true;
/** Whether the host needs nothing more of this run. */
let isHalted = false;
/** Whether the body of a loop that changes variables is executed for any element. */
let isFolding = false;
/** Whether that is a callback of `reduce`: if it is not decided for any element, it is not decided for any list. */
let isReducing = false;
/** Whether the run is for any element of a loop. */
let isLearning = false;
let place = 0;
const known = new Map<string, boolean>();
/** What the host has chosen before for this path; undefined before it was asked. */
let chosen: ReadonlyMap<string, boolean> | undefined;
const types = new Map<string, readonly JsonType[]>();
const constants = new Map<string, string>();
const declared = new Set<string>();

/** Every function of the explorer begins with this. */
export function at(now: number): void {
  if (end !== null || isHalted) throw STOP;
  place = now;
}

export function here(): number {
  return place;
}

/** Ends the run of a policy. Whatever the policy does then, its calls of the explorer throw. */
export function finish(how: PathEnd): never {
  if (isLearning && isReducing && how.kind === "not decided") endPassed({ undecided: how.why });
  if (isLearning) halt();
  end ??= how;
  // Nothing catches what a policy's file throws before a hook is called.
  if (isLoading) report(end);
  throw STOP;
}

/** From now on whoever calls a hook reports how the path ends. */
export function endLoading(): void {
  isLoading = false;
}

export function isInLoading(): boolean {
  return isLoading;
}

/** Says that from now on the run is for any element of a loop that changes variables. */
export function beginFold(isReduce: boolean): void {
  isReducing = isReduce;
  isFolding = true;
}

/** Whether numbers of any element are computed, of which the expressions are needed. */
export function isInFold(): boolean {
  return isFolding;
}

/** Runs a policy until it ends, and returns how: `run` calls {@link finish}, or throws. */
export function endOf(run: () => never): PathEnd {
  try {
    run();
  } catch (error) {
    if (end === null && !isHalted) endWith(error);
  }
  if (isHalted) throw STOP;
  const how = end!;
  end = null;
  return how;
}

function endWith(error: unknown): void {
  try {
    caught(place, error);
    fault("POLICY_ERROR", "an exception");
  } catch {
    // It has ended
  }
}

/** Tells the host how the path ends. */
export function report(how: PathEnd): void {
  end = how;
  tell({ ask: "end", end });
}

/** Ends the run without an end of the path: the host has what it needs. */
export function halt(): never {
  if (waiting.length > 0) tell();
  isHalted = true;
  throw STOP;
}

export function hasHalted(): boolean {
  return isHalted;
}

/** The cases of a loop, or null if they are to be found now. */
export function loopCases(number: number, list: string): LoopCases | null {
  const told = tell({ ask: "loop", number, list });
  if (told === null) halt();
  isLearning = told === "learn";
  return isLearning ? null : (told as LoopCases);
}

/**
 * The cases of each value that an array may have, or the number of a value for which they are to be found in this run.
 */
export function itemLoop(number: number, items: number): readonly LoopCases[] | number {
  const told = tell({ ask: "items", number, items });
  if (told === null) halt();
  isLearning = typeof told === "number";
  return told as readonly LoopCases[] | number;
}

/** The name of a symbol for the number of values that are in an array. */
export function thereName(values: readonly (readonly ElementCase[])[]): string {
  return tell({ ask: "there", values }) as string;
}

/** Ends a run that was for one element of a loop, after which the loop goes on. */
export function endPassed(value: ElementValue): never {
  tell({ ask: "passed", value });
  return halt();
}

/** The name of what a loop adds up for some elements of a list. */
export function totalName(origin: FoldedOrigin): string {
  return tell({ ask: "total", origin }) as string;
}

/** The name of the first element of a list in some cases, or of a symbol for the number of such elements. */
export function nameOf(ask: "first" | "count", list: string, where: readonly ElementCase[]): string {
  return tell({ ask, list, where }) as string;
}

export function notDecided(why: string): never {
  return finish({ kind: "not decided", why, place });
}

export function fault(code: string, what: string): never {
  return finish({ kind: "fault", code, what, place });
}

/**
 * Whether a condition on symbols is true on this path: the host explores both cases if both are possible. `otherwise`
 * is the reason why the path is not decided if the condition is false. The host then needs no run for that path; if it
 * is this one, the caller must end it with the same reason.
 */
export function test(atom: Atom, otherwise?: string): boolean {
  const key = stringify(atom);
  if (isFolding && isPart(key) && !namesIn(atom).every(isDeclared)) notDecided(CONDITION);
  let answer = known.get(key);
  if (answer === undefined) {
    chosen ??= new Map(tell({ ask: "known" }) as [string, boolean][]);
    answer = chosen.get(key) ?? choose(atom, otherwise);
    known.set(key, answer);
    if (answer && atom.kind === "equals") constants.set(atom.of, atom.text);
  }
  return answer;
}

const CONDITION = "a condition on a variable that a loop over a list changes, or on what is computed in the loop";

/** Whether a name is that of a fact, of a value, or of something in it: not of a number that a loop computes. */
function isDeclared(name: string): boolean {
  return declared.has(name) || declared.has(`${name}?`) || declared.has(`${name}!`);
}

/** What is known of a condition on this path without asking the host. */
export function knownValue(atom: Atom): boolean | undefined {
  return known.get(stringify(atom));
}

/** Sets the value of a condition that others imply. */
export function setKnownValue(atom: Atom, is: boolean): void {
  known.set(stringify(atom), is);
}

/** The value of a condition that the path comes to for the first time. */
function choose(atom: Atom, otherwise?: string): boolean {
  // In a configuration, and in a loop, the path goes on after what is not decided
  const isEnd = otherwise !== undefined && beginning.configuration === null && !isLearning && !isFolding;
  const end = isEnd ? ({ otherwise: { kind: "not decided", why: otherwise, place } } as const) : {};
  const told = map_update("explorer", "test", withWaiting({ ask: "test", atom, place, ...end }));
  return told === TEST_ANSWERS.none ? halt() : told === TEST_ANSWERS.true;
}

/** Whether a JSON value has one of these types; `otherwise` as in {@link test}. */
export function testType(name: string, among: readonly JsonType[], otherwise?: string): boolean {
  const possible = typesOf(name);
  const left = possible.filter((type) => among.includes(type));
  if (left.length === 0 || left.length === possible.length) return left.length > 0;
  const answer = test({ kind: "type", of: name, among: left }, otherwise);
  types.set(name, answer ? left : possible.filter((type) => !among.includes(type)));
  return answer;
}

/** The constant that a text is on this path; undefined if it is not known to be one. */
export function constantOf(name: string): string | undefined {
  return constants.get(name);
}

const ALL: readonly JsonType[] = ["null", "true", "false", "number", "string", "array", "object"];

export function typesOf(name: string): readonly JsonType[] {
  return types.get(name) ?? ALL;
}

/** Says that a JSON value has one of these types. If it has none that it can have, this path has no input. */
export function restrict(name: string, among: readonly JsonType[]): void {
  const left = typesOf(name).filter((type) => among.includes(type));
  if (left.length > 0) types.set(name, left);
}

export function declare(name: string, domain: SymbolDomain): void {
  if (declared.has(name)) return;
  declared.add(name);
  waiting.push({ ask: "symbol", name, domain });
}

export function originate(name: string, origin: Origin): void {
  if (declared.has(`origin ${name}`)) return;
  declared.add(`origin ${name}`);
  if (isPart(name)) notDecided("a helper's answer for each element of a list");
  waiting.push({ ask: "origin", name, origin });
}

/** Whether a name may be about any element of a list, or a variable that a loop over it changes. */
export function isPart(name: string): boolean {
  return name.includes("[*]");
}

const made = new WeakSet<object>();

/** Marks an error that the engine would make in the same way. */
export function markMade<T extends object>(error: T): T {
  made.add(error);
  return error;
}

/** Throws the error that the engine throws here; the policy may catch it. */
export function raise(kind: "TypeError" | "RangeError" | "Error", message: string): never {
  const Kind = { TypeError, RangeError, Error }[kind];
  throw markMade(new Kind(message));
}

/**
 * Looks at an error that the policy threw or caught. Errors that neither the policy nor {@link raise} made come from
 * the engine, such as too deep a recursion: whether the policy itself would get them is not known.
 */
export function caught(where: number, error: unknown): unknown {
  at(where);
  if (error instanceof Error && !made.has(error)) notDecided("an error of the engine");
  return error;
}
