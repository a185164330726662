import type { Current } from "../model/current.js";
import { Selector } from "./selector.js";
import { type TaskCondition, type TaskText, taskTest } from "./task-condition.js";

/**
 * The conditions of a scope: a task is in scope if all given fields match. Plain data, so that it can be sent to
 * another thread.
 */
export interface ScopeRules {
  /** A Kubernetes label selector. It matches only tasks in containers. */
  readonly labels?: string | undefined;
  /** Ranges of uids in the host's user namespace; both ends are included. */
  readonly uid?: readonly (readonly [number, number])[] | undefined;
  /** Patterns (see Glob), one of which must match the executable's path. The task chooses that path itself. */
  readonly exe?: readonly string[] | undefined;
  /** Patterns for the task's name, which the task chooses itself. */
  readonly comm?: readonly string[] | undefined;
  /** Patterns for the container's name or id; or true for any container and false for none. */
  readonly container?: boolean | readonly string[] | undefined;
}

/**
 * Tests whether a task is in scope. An unknown value matches, so that a task cannot leave a scope by hiding it: labels
 * that the source did not answer, an executable or a container's name that could not be read.
 */
export class Scope {
  private readonly tests: readonly ((current: Current) => boolean)[];
  /** The parts of `current` that the result depends on, for caches of results. */
  readonly looksAt: ReadonlySet<ScopeField>;
  /** The condition that tasks in scope satisfy. */
  readonly condition: { readonly all: readonly TaskCondition[] };

  /** The scope for these rules; cached for each rules object. Throws SELECTOR_INVALID. */
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
    this.condition = { all: given.map((field) => CONDITIONS[field](rules)) };
    this.tests = this.condition.all.map(taskTest);
  }

  includes(current: Current): boolean {
    for (const test of this.tests) if (!test(current)) return false;
    return true;
  }
}

/** A scope is made when the configuration is checked and again when it is used. */
const MADE = new WeakMap<ScopeRules, Scope>();

export const SCOPE_FIELDS = ["uid", "comm", "exe", "container", "labels"] as const;
export type ScopeField = (typeof SCOPE_FIELDS)[number];

const CONDITIONS: Readonly<Record<ScopeField, (rules: ScopeRules) => TaskCondition>> = {
  uid: ({ uid = [] }) => ({ any: uid.map((range) => ({ uid: range })) }),
  comm: ({ comm = [] }) => ({ any: matching("comm", comm) }),
  exe: ({ exe = [] }) => ({ any: [{ isNull: "exe" }, ...matching("exe", exe)] }),
  container: ({ container = true }) => {
    if (container === false) return { isNull: "container" };
    if (container === true) return IN_CONTAINER;
    const names = [...matching("container.id", container), ...matching("container.name", container)];
    return { all: [IN_CONTAINER, { any: [{ isNull: "container.name" }, ...names] }] };
  },
  labels: ({ labels = "" }) => ({
    all: [IN_CONTAINER, { any: [{ isNull: "container.labels" }, Selector.parse(labels).condition] }],
  }),
};

const IN_CONTAINER: TaskCondition = { not: { isNull: "container" } };

function matching(text: TaskText, patterns: readonly string[]): readonly TaskCondition[] {
  return patterns.map((glob) => ({ text, glob }));
}
