import { VOCABULARY } from "../../engine/load/vocabulary.js";
import { type HookName, hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import { LIMIT_BOUNDS, type Limits } from "../../policy/attachment.js";
import { Domain } from "../../policy/domain.js";
import { ROOT_ON_HOST } from "../../policy/model/current.js";
import type { NameKind } from "../../policy/model/vocabulary.js";
import type { Atom, Origin, PathEnd, Request, SymbolDomain } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";
import { type Answer, type Knowledge, type Model, solve } from "../solver/solver.js";
import { beginningOf, type ConfiguredNames, clausesOf, type ExploredConfiguration } from "./beginning.js";
import { type PolicySource, type RewrittenPolicy, rewritePolicies } from "./rewritten-policy.js";

/** One way through a policy. */
export interface Path {
  /** The conditions in the order in which the policy meets them, without those that follow from others. */
  readonly conditions: readonly Condition[];
  readonly end: PathEnd;
  /** `file:line` of the end; null if it is not known. */
  readonly place: string | null;
  /** Values that satisfy the conditions; `unknown` if it is not decided whether there are any. */
  readonly example: Model | "unknown";
}

export interface Exploration {
  readonly hook: HookName;
  readonly paths: readonly Path[];
  /** Why there are paths that were not explored; null if all were. */
  readonly unfinished: string | null;
  readonly symbols: ReadonlyMap<string, SymbolDomain>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** What the conditions are solved with. */
  readonly knowledge: Knowledge;
}

export interface ExplorationLimits {
  readonly paths: number;
  /** In milliseconds. */
  readonly timeout: number;
}

/** Steps and milliseconds of one path, as multiples of the attachment's: each operation is a call of the explorer. */
const SLOWER = 50;

/**
 * Explores all paths of a policy at one hook. Throws what linking it throws. `limits` are those of the attachment; a
 * path that exceeds its memory or stack here is not decided, since what it takes in the engine is not known.
 */
export function explore(
  policy: PolicySource,
  hook: HookName,
  names: ConfiguredNames,
  limits: Limits,
  bounds: ExplorationLimits,
): Exploration {
  return new Explorer(rewritePolicies([policy], hook), hook, names, null, limits, bounds).run();
}

/**
 * Explores the decisions of a configuration at one hook: all paths through the policies of its attachments, of which
 * `policies` has one for each, and which are asked one after the other. Throws as {@link explore}.
 */
export function exploreDecisions(
  policies: readonly PolicySource[],
  configuration: ExploredConfiguration,
  hook: HookName,
  names: ConfiguredNames,
  limits: Limits,
  bounds: ExplorationLimits,
): Exploration {
  return new Explorer(rewritePolicies(policies, hook), hook, names, configuration, limits, bounds).run();
}

interface Choice extends Condition {
  /** Whether the other case is impossible, so that the condition follows from those before it. */
  readonly isForced: boolean;
}

class Explorer {
  readonly #symbols = new Map<string, SymbolDomain>();
  readonly #origins = new Map<string, Origin>();
  readonly #domain = new Domain();
  readonly #beginning: object;
  readonly #knowledge: Knowledge;
  readonly #limits: Limits;
  /** The choices with which unexplored paths begin; the last one is to be explored next. */
  readonly #open: Choice[][] = [[]];
  readonly #deadline: number;
  #prefix: readonly Choice[] = [];
  #taken: Choice[] = [];
  #end: PathEnd | null = null;
  #place = 0;

  constructor(
    private readonly policy: RewrittenPolicy,
    private readonly hook: HookName,
    names: ConfiguredNames,
    configuration: ExploredConfiguration | null,
    limits: Limits,
    private readonly bounds: ExplorationLimits,
  ) {
    this.#beginning = beginningOf(hook, names, configuration);
    this.#knowledge = {
      symbols: this.#symbols,
      clauses: clausesOf(hook),
      argument: SUBJECT_KINDS[hookRow(hook).subject].argument,
      namesOf: (type) => VOCABULARY[type as NameKind] ?? [],
    };
    this.#deadline = performance.now() + bounds.timeout;
    const steps = Math.min(LIMIT_BOUNDS.steps[1], SLOWER * limits.steps);
    this.#limits = { ...limits, steps, timeout: Math.min(LIMIT_BOUNDS.timeout[1], SLOWER * limits.timeout) };
  }

  run(): Exploration {
    const paths: Path[] = [];
    try {
      while (this.#open.length > 0 && this.#unfinished(paths) === null) {
        const path = this.#next();
        if (path !== null) paths.push(path);
      }
    } finally {
      this.#domain.close();
    }
    const unfinished = this.#open.length > 0 ? this.#unfinished(paths) : null;
    return {
      hook: this.hook,
      paths,
      unfinished,
      symbols: this.#symbols,
      origins: this.#origins,
      knowledge: this.#knowledge,
    };
  }

  #unfinished({ length }: readonly Path[]): string | null {
    if (length >= this.bounds.paths) return `there are more than ${this.bounds.paths} paths`;
    return performance.now() > this.#deadline ? "the time limit was reached" : null;
  }

  #next(): Path | null {
    this.#prefix = this.#open.pop()!;
    this.#taken = [];
    this.#end = null;
    this.#place = 0;
    const functions = {
      ...NO_FUNCTIONS,
      map_lookup: (_: string, text: string) => this.#answer(JSON.parse(text) as Request),
    };
    const outcome = this.#domain.ask(this.policy.linked, this.#limits, this.hook, {}, ROOT_ON_HOST, functions);
    const end: PathEnd =
      outcome.fault === null && this.#end !== null
        ? this.#end
        : { kind: "not decided", why: `a limit of the exploration: ${outcome.fault?.message}`, place: this.#place };
    const example = this.#solve(this.#taken);
    if (example === "unsatisfiable") return null;
    const conditions = this.#taken.filter(({ isForced }) => !isForced).map(({ atom, is }) => ({ atom, is }));
    return { conditions, end, place: this.policy.placeOf(end.place), example };
  }

  #answer(request: Request): unknown {
    switch (request.ask) {
      case "begin":
        return this.#beginning;
      case "symbol":
        this.#symbols.set(request.name, request.domain);
        return null;
      case "origin":
        this.#origins.set(request.name, request.origin);
        return null;
      case "end":
        this.#end ??= request.end;
        return null;
      case "test":
        this.#place = request.place;
        return this.#choose(request.atom);
    }
  }

  /** The value of a condition on this path. If it can be both, the other one is explored later. */
  #choose(atom: Atom): boolean {
    const before = this.#taken;
    const known = this.#prefix[before.length];
    if (known !== undefined) {
      before.push(known);
      return known.is;
    }
    const [isTrue, isFalse] = [true, false].map((is) => ({ atom, is, isForced: false })) as [Choice, Choice];
    const canBeTrue = this.#solve([...before, isTrue]) !== "unsatisfiable";
    const canBeFalse = this.#solve([...before, isFalse]) !== "unsatisfiable";
    if (canBeTrue && canBeFalse) this.#open.push([...before, isFalse]);
    before.push({ atom, is: canBeTrue, isForced: canBeTrue !== canBeFalse });
    return canBeTrue;
  }

  #solve(conditions: readonly Condition[]): Answer {
    return solve(conditions, this.#knowledge);
  }
}

const NO_FUNCTIONS = {
  verify_signature: unasked,
  signer_of: unasked,
  verify_program: unasked,
  statement_of: unasked,
  signer_of_program: unasked,
  hash: unasked,
  map_update: unasked,
  map_delete: unasked,
};

function unasked(): never {
  throw new TypeError("a rewritten policy calls a helper itself");
}
