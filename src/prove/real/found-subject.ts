import type { Config } from "../../config/config.js";
import { questionsAboutFile } from "../../engine/files/file-questions.js";
import { StatementStore } from "../../engine/statements/statement-store.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Current } from "../../policy/model/current.js";
import type { Exploration } from "../explorer/exploration.js";
import type { Condition } from "../solver/condition.js";
import type { Example } from "../witness/example.js";
import type { Input } from "../witness/input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import { FolderAnswers, type MapContents } from "./folder-input.js";

/** A subject of a file as `check` finds it, with what the maps have to contain. */
export interface FoundSubject {
  /** Which of the file's subjects at the hook it is. */
  readonly index: number;
  readonly input: Input;
  readonly maps: MapContents;
  /** The conditions of the path that do not hold. */
  readonly unmet: readonly Condition[];
}

/**
 * The subject of a file for which most conditions of an example's path hold, with facts as `check` computes them, and
 * signatures as keyrings verify them. Throws what reading the file and the keyrings throws.
 */
export function foundSubject(
  { path, input: model, exploration }: Example,
  file: string,
  current: Current,
  config: Config,
): FoundSubject | null {
  const { hook, knowledge } = exploration;
  let best: FoundSubject | null = null;
  for (const [index, { subject }] of subjectsOf(file, config, hook).entries()) {
    const inputWith = (maps: MapContents) =>
      new FolderAnswers(config, maps).input(subject, current, knowledge.argument);
    const maps = mapsFor(inputWith({}), model, exploration);
    const input = inputWith(maps);
    const values = new SymbolValues(input, knowledge);
    const unmet = path.conditions.filter((condition) => !values.satisfy([condition]));
    if (best === null || unmet.length < best.unmet.length) best = { index, input, maps, unmet };
  }
  return best;
}

function subjectsOf(file: string, config: Config, hook: HookName) {
  return questionsAboutFile(file, config.signatures, { hook }, StatementStore.ofConfiguration(config));
}

/**
 * Entries of maps, so that each question about a key has the answer of the model. A key can depend on facts, and on
 * what helpers answer about the file, such as the id of a signer's key. `input` has empty maps.
 */
function mapsFor(input: Input, model: Input, { knowledge }: Exploration): MapContents {
  const values = new SymbolValues(input, knowledge);
  const modelled = new SymbolValues(model, knowledge);
  const maps: Record<string, Record<string, unknown>> = {};
  for (const origin of knowledge.origins.values()) {
    if (origin.kind !== "lookup") continue;
    const [key, its] = [values.textIfThere(origin.key), modelled.textIfThere(origin.key)];
    const value = its === null ? undefined : model.answer(origin, its);
    maps[origin.map] ??= {};
    if (key !== null && value !== undefined) maps[origin.map]![key] ??= value;
  }
  return maps;
}
