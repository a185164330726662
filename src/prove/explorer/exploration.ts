import { VOCABULARY } from "../../engine/load/vocabulary.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Limits } from "../../policy/attachment.js";
import type { NameKind } from "../../policy/model/vocabulary.js";
import { LIMIT_BOUNDS } from "../../sandbox/shared/limits.js";
import { declarationsOf } from "../facts/declarations.js";
import {
  type Atom,
  anyElement,
  type ElementValue,
  type LoopCases,
  type Origin,
  type PathEnd,
  type Request,
  type SymbolDomain,
} from "../shared/atom.js";
import type { KnownMaps } from "../shared/known-maps.js";
import type { ReachedLimit } from "../shared/reached-limit.js";
import type { Condition } from "../solver/condition.js";
import { namesIn } from "../solver/element-conditions.js";
import type { Knowledge, Model } from "../solver/solver.js";
import {
  beginningOf,
  type ComparedConfiguration,
  type ConfiguredNames,
  type ExploredConfiguration,
  type HostBeginning,
} from "./beginning.js";
import { type Choice, Choices, essential, exampleOf, possibleChoices } from "./choices.js";
import { type LearntCase, loopCasesOf } from "./loop-cases.js";
import { PathRuns } from "./path-runs.js";
import { type PolicySource, type PropertySource, type RewrittenPolicy, rewritePolicies } from "./rewritten-policy.js";
import { SymbolNames } from "./symbol-names.js";

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
  /** The limit that stopped the exploration; null if all paths were explored, or a {@link StopCondition} stopped it. */
  readonly unfinished: ReachedLimit | null;
  /** Whether a {@link StopCondition} stopped it before all paths were explored. */
  readonly isStoppedEarly: boolean;
  readonly symbols: ReadonlyMap<string, SymbolDomain>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** What the conditions are solved with. */
  readonly knowledge: Knowledge;
  /** What was taken to be known of maps. */
  readonly known: KnownMaps;
  /** `file:line` of a place that the end of a path names; null for none. */
  placeOf(place: number): string | null;
  /** Whether there is a loop over a list that is not known, so that one path can be about elements in several cases. */
  readonly hasLoops: boolean;
}

/** Called after each path, with what was explored by then. The exploration stops when it returns true. */
export type StopCondition = (path: Path, soFar: Exploration) => boolean;

export interface ExplorationLimits {
  readonly paths: number;
  /** In milliseconds. */
  readonly timeout: number;
}

const MOST_CASES = 500;

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
  const beginning = beginningOf(hook, names, null, null);
  return new Explorer(rewritePolicies([policy], hook), hook, beginning, limits, bounds).run();
}

/** The attachments of a configuration at one hook, and the policy of each. */
export interface ExploredAttachments {
  readonly policies: readonly PolicySource[];
  readonly configuration: ExploredConfiguration;
}

/**
 * Explores the decisions of a configuration at one hook: all paths through the policies of its attachments, which are
 * asked one after the other; with a property, that of these decisions. Throws as {@link explore}, and what `stopWhen`
 * throws.
 */
export function exploreDecisions(
  { policies, configuration }: ExploredAttachments,
  hook: HookName,
  limits: Limits,
  bounds: ExplorationLimits,
  property: PropertySource | null = null,
  stopWhen: StopCondition = NEVER,
): Exploration {
  const beginning = beginningOf(hook, configuration, configuration, null);
  return new Explorer(rewritePolicies(policies, hook, property), hook, beginning, limits, bounds).run(stopWhen);
}

/**
 * Explores the decisions of two configurations about the same subjects and callers: each path ends with a comparison.
 * What has the same name in both, such as a map or the verification by a keyring, is the same symbol. `policies` are
 * all that `its.hooks` names. Throws as {@link explore}.
 */
export function exploreComparison(
  policies: readonly PolicySource[],
  old: ExploredConfiguration,
  its: ComparedConfiguration,
  hook: HookName,
  limits: Limits,
  bounds: ExplorationLimits,
): Exploration {
  const beginning = beginningOf(hook, old, old, its);
  return new Explorer(rewritePolicies(policies, hook), hook, beginning, limits, bounds).run();
}

const NEVER: StopCondition = () => false;

/** The beginning of a path: choices, and the cases of the loops before its end. */
interface Beginning {
  readonly choices: readonly Choice[];
  readonly loops: readonly FoundCases[];
  /** How the path ends, if the guest told that with the last condition: it then needs no run. */
  readonly end?: PathEnd;
}

/** The cases of a loop over a list, or of each value that an array may have. */
type FoundCases = LoopCases | readonly LoopCases[];

interface MissingLoop {
  readonly number: number;
  /** Null for an array. */
  readonly list: string | null;
  /** How many values the array may have; 1 for a list, of which any element is examined. */
  readonly items: number;
}

/** A run for any element of a loop. */
interface ElementRun extends MissingLoop {
  readonly item: number;
  readonly choices: Choices;
  passed: { readonly value: ElementValue } | null;
  /** A condition that is not about the element: it is chosen for the whole path. */
  outer: Atom | null;
}

class Explorer {
  readonly #symbols = new Map<string, SymbolDomain>();
  readonly #origins = new Map<string, Origin>();
  readonly #knowledge: Knowledge;
  readonly #runs: PathRuns;
  /** The beginnings of unexplored paths; the last one is to be explored next. */
  readonly #open: Beginning[] = [{ choices: [], loops: [] }];
  readonly #deadline: number;
  readonly #names = new SymbolNames();
  /** The choices and loops of the path that is explored now. */
  #choices: Choices = new Choices([]);
  #loops: readonly FoundCases[] = [];
  /** The loop whose cases are to be found before the path can go on. */
  #missing: MissingLoop | null = null;
  /** What is learnt about an element of a loop now; null if a path is explored. */
  #element: ElementRun | null = null;
  #end: PathEnd | null = null;
  #place = 0;
  #tooLarge = false;
  #hasLoops = false;

  constructor(
    private readonly policy: RewrittenPolicy,
    private readonly hook: HookName,
    /** What the explorer in the sandbox is told. */
    private readonly beginning: HostBeginning,
    limits: Limits,
    private readonly bounds: ExplorationLimits,
  ) {
    const { argument, clauses } = declarationsOf(hook);
    this.#knowledge = {
      symbols: this.#symbols,
      origins: this.#origins,
      clauses,
      argument,
      known: beginning.known,
      namesOf: (type) => VOCABULARY[type as NameKind] ?? [],
    };
    this.#deadline = performance.now() + bounds.timeout;
    const steps = Math.min(LIMIT_BOUNDS.steps[1], SLOWER * limits.steps);
    const timeout = Math.min(LIMIT_BOUNDS.timeout[1], SLOWER * limits.timeout);
    this.#runs = new PathRuns(policy.linked, { ...limits, steps, timeout }, (request) => this.#answer(request));
  }

  run(stopWhen: StopCondition = NEVER): Exploration {
    const paths: Path[] = [];
    let isStoppedEarly = false;
    try {
      while (!isStoppedEarly && this.#open.length > 0 && this.#unfinished(paths) === null) {
        const path = this.#next();
        if (path === null) continue;
        paths.push(path);
        isStoppedEarly = stopWhen(path, this.#found(paths, null, false));
      }
    } finally {
      this.#runs.close();
    }
    const isWhole = this.#open.length === 0;
    return this.#found(paths, isWhole || isStoppedEarly ? null : this.#unfinished(paths), isStoppedEarly && !isWhole);
  }

  #found(paths: readonly Path[], unfinished: ReachedLimit | null, isStoppedEarly: boolean): Exploration {
    return {
      known: this.beginning.known,
      hook: this.hook,
      paths,
      unfinished,
      isStoppedEarly,
      symbols: this.#symbols,
      origins: this.#origins,
      knowledge: this.#knowledge,
      placeOf: (place) => this.policy.placeOf(place),
      hasLoops: this.#hasLoops,
    };
  }

  #unfinished({ length }: readonly Path[]): ReachedLimit | null {
    const { paths } = this.bounds;
    if (length >= paths) return { limit: "paths", words: `there are more paths than ${paths}` };
    if (this.#tooLarge) return { limit: "cases", words: "a loop has too many cases" };
    const isLate = performance.now() > this.#deadline;
    return isLate ? { limit: "timeout", words: "the time limit was reached" } : null;
  }

  #next(): Path | null {
    const beginning = this.#open.pop()!;
    this.#begin(beginning);
    const end = beginning.end ?? this.#run();
    if (this.#missing !== null) {
      this.#findCases({ choices: this.#choices.taken, loops: beginning.loops }, this.#missing);
      return null;
    }
    const { taken } = this.#choices;
    const example = exampleOf(taken, this.#knowledge);
    if (example === "unsatisfiable") return null;
    return { conditions: essential(taken), end, place: this.policy.placeOf(end.place), example };
  }

  #begin({ choices, loops }: Beginning, element: ElementRun | null = null): void {
    this.#choices = new Choices(choices);
    this.#loops = loops;
    this.#missing = null;
    this.#end = null;
    this.#element = element;
    this.#place = (element?.choices.taken.at(-1) ?? choices.at(-1))?.place ?? 0;
  }

  #run(): PathEnd {
    const { fault } = this.#runs.next();
    const end = this.#end;
    // A path that ends while the files of policies are executed is reported before they throw.
    if (end !== null && (fault === null || fault.code === "POLICY_ERROR")) return end;
    return { kind: "not decided", why: `a limit of the exploration: ${fault?.message}`, place: this.#place };
  }

  /** Finds the cases of a loop, and then goes on with the path; or chooses a condition before that. */
  #findCases(beginning: Beginning, loop: MissingLoop): void {
    this.#hasLoops = true;
    const found: LoopCases[] = [];
    for (let item = 0; item < loop.items; item++) {
      const learnt = this.#learn(beginning, loop, item);
      if (learnt === null) return;
      found.push(loopCasesOf(learnt, (stops) => (loop.list === null ? "" : this.#names.first(loop.list, stops))));
    }
    const cases = loop.list === null ? found : found[0]!;
    this.#open.push({ ...beginning, loops: [...beginning.loops, cases] });
  }

  /** The cases of an element; null if they are not found now, because something else comes first. */
  #learn(beginning: Beginning, loop: MissingLoop, item: number): readonly LearntCase[] | null {
    const learnt: LearntCase[] = [];
    const open: (readonly Choice[])[] = [[]];
    for (let choices = open.pop(); choices !== undefined; choices = open.pop()) {
      if (performance.now() > this.#deadline || learnt.length > MOST_CASES) {
        this.#open.push(beginning);
        this.#tooLarge ||= learnt.length > MOST_CASES;
        return null;
      }
      const run: ElementRun = { ...loop, item, choices: new Choices(choices), passed: null, outer: null };
      this.#begin(beginning, run);
      this.#run();
      this.#element = null;
      if (run.outer !== null) {
        for (const choice of [...this.#possible(run.outer, beginning.choices)].reverse())
          this.#open.push({ ...beginning, choices: [...beginning.choices, choice] });
        return null;
      }
      learnt.push({ where: essential(run.choices.taken), passed: run.passed });
      open.push(...run.choices.others.reverse());
    }
    return learnt;
  }

  #answer(request: Request): unknown {
    switch (request.ask) {
      case "begin":
        return this.beginning;
      case "symbol":
        this.#symbols.set(request.name, request.domain);
        return null;
      case "origin":
        this.#origins.set(request.name, request.origin);
        this.#hasLoops ||= request.origin.kind === "folded";
        return null;
      case "known":
        return [...this.#choices.values, ...(this.#element?.choices.values ?? [])];
      case "end":
        this.#end ??= request.end;
        return null;
      case "loop":
        return this.#loop({ ...request, items: 1 }, "learn");
      case "items":
        return this.#loop({ ...request, list: null }, this.#element?.item ?? 0);
      case "there":
        return this.#names.there(request.values);
      case "passed":
        if (this.#element !== null) this.#element.passed = { value: request.value };
        return null;
      case "total":
        return this.#names.total(request.origin);
      case "first":
      case "count":
        return this.#names[request.ask](request.list, request.where);
      case "test":
        this.#place = request.place;
        return this.#choose(request.atom, request.otherwise);
    }
  }

  /** The cases of a loop, or `learn` in a run for an element of it. */
  #loop(loop: MissingLoop, learn: "learn" | number): FoundCases | "learn" | number | null {
    const known = this.#loops[loop.number];
    if (known !== undefined) return known;
    if (this.#element?.number === loop.number) return learn;
    this.#missing = loop;
    return null;
  }

  /** The value of a condition on this path. If it can be both, the other one is explored later. */
  #choose(atom: Atom, otherwise?: PathEnd): boolean | null {
    const known = this.#choices.valueOf(atom);
    if (known !== undefined) return known;
    const element = this.#element;
    if (element === null) {
      const [chosen, ...others] = this.#possible(atom, this.#choices.taken);
      // At most one: `possibleChoices` has true first, and `otherwise` is the end if the condition is false
      const before = this.#choices.taken;
      const end = otherwise && { end: otherwise };
      for (const other of others) this.#open.push({ choices: [...before, other], loops: this.#loops, ...end });
      this.#choices.take(chosen!);
      return chosen!.is;
    }
    const before = element.choices.valueOf(atom);
    if (before !== undefined) return before;
    const { list } = element;
    if (list !== null && !namesIn(atom).some((name) => name.includes(anyElement(list)))) {
      element.outer = atom;
      return null;
    }
    const [chosen, ...others] = this.#possible(atom, [...this.#choices.taken, ...element.choices.taken]);
    for (const other of others) element.choices.others.push([...element.choices.taken, other]);
    element.choices.take(chosen!);
    return chosen!.is;
  }

  #possible(atom: Atom, before: readonly Choice[]): readonly Choice[] {
    return possibleChoices(atom, this.#place, before, this.#knowledge);
  }
}
