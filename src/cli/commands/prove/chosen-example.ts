import type { Config } from "../../../config/config.js";
import { readConfig } from "../../../config/config.js";
import { CountersignError } from "../../../error.js";
import type { HookName } from "../../../hooks/catalogue.js";
import type { Difference, DifferenceKind } from "../../../prove/compare/comparison.js";
import type { PlacedPolicies } from "../../../prove/configuration/placed-policies.js";
import type { ExplorationLimits } from "../../../prove/explorer/exploration.js";
import type { Example } from "../../../prove/witness/example.js";
import { DIFFERENCE_WORDS } from "../../output/difference-words.js";
import { limitRemedy } from "./limits.js";
import { unknownName } from "./unknown-name.js";

/** Which example is made real: of a row of a table, of a property, or of a difference to another configuration. */
export interface ExampleChoice {
  readonly row?: number;
  /** The most rows of the table that has it. */
  readonly rows: number;
  readonly property?: string;
  readonly properties?: string;
  readonly compare?: string;
  /** The kind of difference; any if absent. */
  readonly kind?: DifferenceKind;
  readonly hook: HookName | null;
  readonly bounds: () => ExplorationLimits;
}

/** An example, and what it is an example of; null with the answer if there is none. */
export interface ChosenExample {
  readonly example: Example | null;
  readonly title: string;
  /** The policies of the old configuration of a comparison; null otherwise. */
  readonly old: PlacedPolicies | null;
}

const NEEDS_ONE = "exactly one of --row, --property and --compare is needed, and --properties only with --property";

/** Throws USAGE if not exactly one example is chosen, or for a name or row that there is not. */
export async function chosenExample(policies: PlacedPolicies, choice: ExampleChoice): Promise<ChosenExample> {
  const { row, property, properties, compare, kind } = choice;
  const given = [row, property, compare].filter((one) => one !== undefined);
  if (given.length !== 1 || (properties !== undefined && property === undefined))
    throw new CountersignError("USAGE", NEEDS_ONE, {
      remedy: "give one of --row, --property (with --properties for a file of your own) or --compare",
    });
  if (kind !== undefined && compare === undefined)
    throw new CountersignError("USAGE", "--kind is for differences, and --compare is not given", {
      remedy: "give --compare with the other configuration, or leave --kind out",
    });
  if (row !== undefined) return rowExample(policies, row, choice);
  if (property !== undefined) return propertyExample(policies, property, choice);
  return differenceExample(policies, readConfig(compare!, "check"), choice);
}

async function rowExample(policies: PlacedPolicies, row: number, choice: ExampleChoice): Promise<ChosenExample> {
  const [{ configurationTable }, { resultOf }] = await Promise.all([
    import("../../../prove/table/configuration-table.js"),
    import("../../../prove/table/table-text.js"),
  ]);
  const hook = choice.hook ?? policies.hooks[0] ?? "bpf_prog_load";
  const { rows, limit } = configurationTable(policies, hook, choice.bounds(), choice.rows);
  const its = rows[row - 1];
  if (its === undefined)
    throw new CountersignError("USAGE", `there is no row ${row} at ${hook}`, {
      remedy:
        rows.length === 0
          ? (limitRemedy(limit) ?? "name another hook with --hook")
          : `give the number of a row of the configuration's table in \`prove table\`: 1 to ${rows.length}`,
    });
  return { example: its.example(), title: `row ${row} at ${hook}: ${resultOf(its)}`, old: null };
}

async function propertyExample(policies: PlacedPolicies, name: string, choice: ExampleChoice): Promise<ChosenExample> {
  const [{ propertiesOf }, { checkPropertyKeys }, { proveProperty }, shipped] = await Promise.all([
    import("../../../prove/property/property-file.js"),
    import("../../../prove/property/property-keys.js"),
    import("../../../prove/property/property-answer.js"),
    import("../../../prove/property/shipped-properties.js"),
  ]);
  const all = choice.properties === undefined ? shipped.shippedProperties() : propertiesOf(choice.properties);
  const property = all.find((one) => one.name === name);
  if (property === undefined)
    throw unknownName(
      "property",
      name,
      all.map((one) => one.name),
    );
  const own = choice.properties === undefined ? policies.hooks.filter((hook) => shipped.concerns(name, hook)) : LOADS;
  const hooks = choice.hook === null ? own : [choice.hook];
  checkPropertyKeys(hooks.map((hook) => ({ hook, property })));
  let title = `${name}: no hook has attachments`;
  for (const hook of hooks) {
    const { answer, witness } = proveProperty(policies, hook, property, choice.bounds());
    title = `${name} at ${hook}: ${answer}`;
    if (witness !== null) return { example: witness.example, title, old: null };
  }
  return { example: null, title, old: null };
}

const LOADS: readonly HookName[] = ["bpf_prog_load"];

async function differenceExample(its: PlacedPolicies, config: Config, choice: ExampleChoice): Promise<ChosenExample> {
  const [{ PlacedPolicies }, { comparedHooks, compareDecisions }, { DefinitionChanges }] = await Promise.all([
    import("../../../prove/configuration/placed-policies.js"),
    import("../../../prove/compare/comparison.js"),
    import("../../../prove/compare/definition-changes.js"),
  ]);
  const old = new PlacedPolicies(config);
  const changes = new DefinitionChanges(old, its);
  const { kind } = choice;
  let title = "equal";
  for (const hook of choice.hook === null ? comparedHooks(old, its) : [choice.hook]) {
    const options = { bounds: choice.bounds(), comparesReasons: kind === "reason" };
    const { answer, differences } = compareDecisions(old, its, hook, changes, options);
    const own = differences.find((one) => kind === undefined || one.kind === kind);
    title = `${hook}: ${answer}${kindsIn(own ?? null, differences)}`;
    if (own !== undefined) return { example: own.example, title, old };
  }
  return { example: null, title, old };
}

/** What differs in the kind that is made real, and the other kinds of which there is an example. */
function kindsIn(own: Difference | null, all: readonly Difference[]): string {
  const others = all.filter((one) => one !== own).map(({ kind }) => kind);
  const words = own === null ? "" : `: ${DIFFERENCE_WORDS[own.kind]}`;
  return others.length === 0 ? words : `${words} (also ${others.join(", ")})`;
}
