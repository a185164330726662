import type { Current } from "./current.js";
import { Glob } from "./glob.js";
import { Selector } from "./selector.js";

/**
 * Which tasks an attachment is for: those for which every field that is given holds. As data, so that it can cross
 * threads.
 */
export interface ScopeRules {
  /** A Kubernetes label selector; holds for tasks in containers only. */
  readonly labels?: string | undefined;
  /** Ranges of uids in the host's user namespace, both ends included. */
  readonly uid?: readonly (readonly [number, number])[] | undefined;
  /** Patterns (see Glob), of which one must match the executable's path. The task's own claim. */
  readonly exe?: readonly string[] | undefined;
  /** Patterns for the task's name. The task's own claim. */
  readonly comm?: readonly string[] | undefined;
  /** Patterns for the container's name or id; or true for any container and false for none. */
  readonly container?: boolean | readonly string[] | undefined;
}

/**
 * Decides whether a task is in scope. What is unknown matches, so that nothing escapes by being unknown: labels that a
 * resolver did not answer, an executable or a container's name that could not be read.
 */
export class Scope {
  private readonly tests: readonly ((current: Current) => boolean)[];
  /** The parts of `current` that the answer depends on, for whoever remembers answers. */
  readonly looksAt: ReadonlySet<ScopeField>;

  /** The scope of these rules, made once for an object of rules. Throws SELECTOR_INVALID. */
  static of(rules: ScopeRules): Scope {
    const known = MADE.get(rules);
    if (known !== undefined) return known;
    const scope = new Scope(rules);
    MADE.set(rules, scope);
    return scope;
  }

  /** Throws SELECTOR_INVALID. */
  constructor(readonly rules: ScopeRules) {
    const given = SCOPE_FIELDS.filter((field) => rules[field] !== undefined);
    this.looksAt = new Set(given);
    this.tests = given.map((field) => TESTS[field](rules));
  }

  includes(current: Current): boolean {
    for (const test of this.tests) if (!test(current)) return false;
    return true;
  }
}

/** A configuration is checked when it is read, and used soon after that. */
const MADE = new WeakMap<ScopeRules, Scope>();

export const SCOPE_FIELDS = ["uid", "comm", "exe", "container", "labels"] as const;
export type ScopeField = (typeof SCOPE_FIELDS)[number];

const TESTS: Readonly<Record<ScopeField, (rules: ScopeRules) => (current: Current) => boolean>> = {
  uid: ({ uid = [] }) => {
    return (current) => uid.some(([first, last]) => current.uid >= first && current.uid <= last);
  },
  comm: ({ comm = [] }) => {
    const globs = comm.map((pattern) => new Glob(pattern));
    return (current) => globs.some((glob) => glob.matches(current.comm));
  },
  exe: ({ exe = [] }) => {
    const globs = exe.map((pattern) => new Glob(pattern));
    return ({ exe: path }) => path === null || globs.some((glob) => glob.matches(path));
  },
  container: ({ container = true }) => {
    if (typeof container === "boolean") return (current) => (current.container !== null) === container;
    const globs = container.map((pattern) => new Glob(pattern));
    return ({ container: its }) =>
      its !== null &&
      (its.name === null || globs.some((glob) => glob.matches(its.id) || glob.matches(its.name as string)));
  },
  labels: ({ labels = "" }) => {
    const selector = Selector.parse(labels);
    return ({ container }) => container !== null && (container.labels === null || selector.matches(container.labels));
  },
};
