import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { Exploration, ExplorationLimits, Path } from "../explorer/exploration.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { type Doubt, distinctDoubts, incompleteness } from "../shared/doubt.js";
import { conditionWords } from "../table/condition-words.js";
import { confirmBy, objection } from "../witness/confirmed-path.js";
import { EvaluatedProperty } from "./evaluated-property.js";
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
}

/**
 * Searches for a decision for which a property is false. Throws PROPERTY_INVALID if the property is no function, or
 * fails or returns no boolean for an input that the engine confirms, and what linking its text throws.
 */
export function proveProperty(
  policies: PlacedPolicies,
  hook: HookName,
  property: PropertySource,
  bounds: ExplorationLimits,
): PropertyAnswer {
  const exploration = policies.explore(hook, bounds, property);
  const search = new Search(policies, hook, property, exploration);
  try {
    for (const path of exploration.paths) search.add(path);
    return search.answer();
  } finally {
    search.close();
  }
}

class Search {
  readonly #evaluated: EvaluatedProperty;
  readonly #doubts: Doubt[] = [];
  readonly #model: (readonly string[])[] = [];
  #witness: Witness | null = null;
  #confirmed = 0;

  constructor(
    policies: PlacedPolicies,
    private readonly hook: HookName,
    private readonly property: PropertySource,
    private readonly exploration: Exploration,
  ) {
    const { unfinished } = exploration;
    if (unfinished !== null) this.#doubts.push(incompleteness(unfinished));
    this.#evaluated = new EvaluatedProperty(policies, hook, property);
  }

  add(path: Path): void {
    const { end, place } = path;
    if (end.kind === "not decided") {
      this.#doubts.push({ why: end.why, place });
      return;
    }
    if (end.kind !== "property") throw new TypeError(`a property cannot end with a ${end.kind}`);
    const confirmation = confirmBy(path, this.exploration, (input) => {
      const { holds, outcomes } = this.#evaluated.at(input);
      const differs = `the property is ${holds} for the engine's decision, not ${end.holds}`;
      return { outcomes, differs: holds === end.holds ? null : differs };
    });
    const against = objection(confirmation);
    if (against !== null) this.#doubts.push({ why: against, place });
    else if (confirmation.status === "confirmed") this.#confirm(path, confirmation.input);
    else if (end.holds === null) this.#doubts.push({ why: end.why!, place });
    else if (!end.holds && path.example === "unknown")
      this.#doubts.push({ why: "whether there is a decision for which it is false", place });
    else if (!end.holds) this.#model.push(path.conditions.map(conditionWords));
  }

  #confirm(path: Path, input: Parameters<EvaluatedProperty["at"]>[0]): void {
    const { end, place } = path;
    this.#confirmed += 1;
    if (end.kind !== "property" || end.holds === true) return;
    if (end.holds === null)
      throw new CountersignError("PROPERTY_INVALID", `\`${this.property.name}\`: ${end.why}`, {
        place: place ?? `${this.property.folder ?? ""}${this.property.file}`,
        remedy: "export functions that return true or false for every program, caller and decision",
      });
    this.#witness ??= witnessOf(path, input, this.exploration, this.#evaluated.at(input).decision);
  }

  answer(): PropertyAnswer {
    const found = { witness: this.#witness, model: this.#model, doubts: distinctDoubts(this.#doubts) };
    const { paths } = this.exploration;
    const counts = { paths: paths.length, confirmed: this.#confirmed };
    return { property: this.property.name, hook: this.hook, answer: this.#verdict(), ...found, ...counts };
  }

  close(): void {
    this.#evaluated.close();
  }

  #verdict(): PropertyAnswer["answer"] {
    if (this.#witness !== null) return "refuted";
    if (this.#model.length > 0) return "refuted in the model";
    return this.#doubts.length > 0 ? "not decided" : "proved";
  }
}
