import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { Exploration, ExplorationLimits, Path } from "../explorer/exploration.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { type Doubt, distinctDoubts, limitDoubt } from "../shared/doubt.js";
import { conditionWords } from "../table/condition-words.js";
import { type Confirmation, confirmBy, doubtFrom } from "../witness/confirmed-path.js";
import type { Input } from "../witness/input.js";
import { EvaluatedProperty, type Evaluation } from "./evaluated-property.js";
import { type Witness, witnessOf } from "./witness.js";

/**
 * Whether a property holds for all decisions at a hook:
 *
 * - `proved`: for all, under the assumptions;
 * - `refuted`: the engine decides `witness` so that the property is false;
 * - `refuted in the model`: it is false for values that satisfy all conditions, of which no input could be made;
 * - `not decided`: `doubts` says why.
 */
export interface PropertyAnswer {
  readonly property: string;
  readonly hook: HookName;
  readonly answer: "proved" | "refuted" | "refuted in the model" | "not decided";
  readonly witness: Witness | null;
  /** The conditions of each refutation in the model. */
  readonly model: readonly (readonly string[])[];
  readonly doubts: readonly Doubt[];
  /** How many ways through property and policies were explored, and for how many the engine confirmed an example. */
  readonly paths: number;
  readonly confirmed: number;
  /** The search ends at the first witness: other paths, which can have further ones, are then not explored. */
  readonly explored: "all" | "up to the witness" | "up to a limit";
}

/**
 * Searches for a decision for which a property is false, up to the first one that the engine confirms. Throws
 * PROPERTY_INVALID if the property is no function, or fails or returns no boolean for an input that the engine
 * confirms, and what linking its text throws.
 */
export function proveProperty(
  policies: PlacedPolicies,
  hook: HookName,
  property: PropertySource,
  bounds: ExplorationLimits,
): PropertyAnswer {
  const search = new Search(policies, hook, property);
  try {
    const exploration = policies.explore(hook, bounds, property, (path, soFar) => search.isRefutedBy(path, soFar));
    for (const path of exploration.paths) search.add(path, exploration);
    return search.answer(exploration);
  } finally {
    search.close();
  }
}

class Search {
  #evaluated: EvaluatedProperty | null = null;
  readonly #doubts: Doubt[] = [];
  readonly #model: (readonly string[])[] = [];
  /** Of paths for which the property is false, which the engine has decided while others were explored. */
  readonly #confirmations = new Map<Path, Confirmation>();
  #witness: Witness | null = null;
  #confirmed = 0;

  constructor(
    private readonly policies: PlacedPolicies,
    private readonly hook: HookName,
    private readonly property: PropertySource,
  ) {}

  /** Whether the engine confirms an example of a path for which the property is false. */
  isRefutedBy(path: Path, exploration: Exploration): boolean {
    if (path.end.kind !== "property" || path.end.holds !== false) return false;
    const confirmation = this.#confirmation(path, exploration);
    this.#confirmations.set(path, confirmation);
    return confirmation.status === "confirmed";
  }

  add(path: Path, exploration: Exploration): void {
    const { end, place } = path;
    if (end.kind === "not decided") {
      this.#doubts.push({ why: end.why, place });
      return;
    }
    if (end.kind !== "property") throw new TypeError(`a property cannot end with a ${end.kind}`);
    const confirmation = this.#confirmations.get(path) ?? this.#confirmation(path, exploration);
    const against = doubtFrom(confirmation);
    if (against !== null) this.#doubts.push({ ...against, place });
    else if (confirmation.status === "confirmed") this.#confirm(path, confirmation.input, exploration);
    else if (end.holds === null) this.#doubts.push({ why: end.why!, place });
    else if (!end.holds && path.example === "unknown")
      this.#doubts.push({ why: "whether there is a decision for which it is false", place });
    else if (!end.holds) this.#model.push(path.conditions.map(conditionWords));
  }

  #confirmation(path: Path, exploration: Exploration): Confirmation {
    const expected = path.end.kind === "property" ? path.end.holds : null;
    return confirmBy(path, exploration, (input) => {
      const { holds, outcomes } = this.#at(input);
      const differs = `the property is ${holds} for the engine's decision, not ${expected}`;
      return { outcomes, differs: holds === expected ? null : differs };
    });
  }

  #at(input: Input): Evaluation {
    this.#evaluated ??= new EvaluatedProperty(this.policies, this.hook, this.property);
    return this.#evaluated.at(input);
  }

  #confirm(path: Path, input: Input, exploration: Exploration): void {
    const { end, place } = path;
    this.#confirmed += 1;
    if (end.kind !== "property" || end.holds === true) return;
    const evaluation = this.#at(input);
    if (evaluation.holds === null) {
      // only the engine knows the message of an exception; calling what is no function throws one, too
      const why = end.why === null || end.why.startsWith("it fails") ? evaluation.failure : end.why;
      throw new CountersignError("PROPERTY_INVALID", `\`${this.property.name}\`: ${why}`, {
        place: place ?? `${this.property.folder ?? ""}${this.property.file}`,
        remedy: "export functions that return true or false for every program, caller and decision",
      });
    }
    this.#witness ??= witnessOf(path, input, exploration, evaluation.decision);
  }

  answer({ paths, unfinished, isStoppedEarly }: Exploration): PropertyAnswer {
    const doubts = distinctDoubts(unfinished === null ? this.#doubts : [limitDoubt(unfinished), ...this.#doubts]);
    const found = { answer: this.#verdict(doubts), witness: this.#witness, model: this.#model, doubts };
    const explored = isStoppedEarly ? "up to the witness" : unfinished === null ? "all" : "up to a limit";
    const counts = { paths: paths.length, confirmed: this.#confirmed, explored } as const;
    return { property: this.property.name, hook: this.hook, ...found, ...counts };
  }

  close(): void {
    this.#evaluated?.close();
  }

  #verdict(doubts: readonly Doubt[]): PropertyAnswer["answer"] {
    if (this.#witness !== null) return "refuted";
    if (this.#model.length > 0) return "refuted in the model";
    return doubts.length > 0 ? "not decided" : "proved";
  }
}
