import { readConfig } from "../../config/config.js";
import { readCurrent } from "../../config/current.js";
import { type HookName, hookRow } from "../../hooks/catalogue.js";
import type { Current } from "../../policy/model/current.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { Exploration } from "../explorer/exploration.js";
import type { Origin } from "../shared/atom.js";
import { conditionWords } from "../table/condition-words.js";
import { engineDecision } from "../witness/engine-decision.js";
import type { Example } from "../witness/example.js";
import type { Input } from "../witness/input.js";
import { type CheckedWitness, checkWitness } from "./checked-witness.js";
import { foundSubject } from "./found-subject.js";
import { isSignatureQuestion, itemOf, type SignedItem } from "./signed-item.js";
import type { WantedSigner } from "./test-signer.js";
import { wantedSignatures, withSignatures } from "./wanted-signatures.js";
import { witnessFile } from "./witness-file.js";
import { refuseUsedFolder, WitnessFolder } from "./witness-folder.js";
import { readmeOf } from "./witness-readme.js";

/** A configuration by whose policies a witness is decided, and the name of its file in the folder. */
export interface WitnessConfiguration {
  readonly name: string;
  readonly policies: PlacedPolicies;
}

/** A witness in a folder. */
export interface RealWitness {
  readonly hook: HookName;
  /** The path of the file that `check` decides about; null if there can be none. */
  readonly file: string | null;
  /** The conditions of the path that no file satisfies, in words. If there are any, nothing is left in the folder. */
  readonly lacks: readonly string[];
  /** For each configuration. */
  readonly checked: readonly CheckedWitness[];
}

/**
 * Makes an example real: writes a file with the facts that its path needs, signatures by new keys, the task that asks,
 * maps and configurations to a folder, and has `check` decide by each configuration. Throws USAGE for a folder that is
 * not empty, FILE_UNREADABLE, and what opening an engine throws.
 */
export async function makeReal(
  example: Example,
  configurations: readonly WitnessConfiguration[],
  folder: string,
): Promise<RealWitness> {
  refuseUsedFolder(folder);
  const { path, input, exploration } = example;
  const { hook, knowledge } = exploration;
  const { subject, served } = hookRow(hook);
  const notMade = (...lacks: readonly string[]): RealWitness => ({ hook, file: null, lacks, checked: [] });
  if (!served.offline) return notMade(`\`check\` does not ask at ${hook}`);
  const signatures = wantedSignatures(path.conditions, input, knowledge);
  const model = withSignatures(input, signatures, knowledge.argument);
  const file = witnessFile(hook, path.conditions, model, knowledge);
  if (file === null) return notMade("no object has such a name and such helpers");
  const contents = { file, isObject: subject !== "file" && subject !== "blob", current: possible(input.current) };
  const written = new WitnessFolder(folder, { ...contents, signatures, signers: wantedSigners(exploration, input) });
  written.write();
  const configs = configurations.map(({ name, policies }) => {
    const path = written.configure(name, policies.config);
    return { path, policies, config: readConfig(path, "check") };
  });
  const current = readCurrent(written.current);
  const found = foundSubject(example, written.file, current, configs[0]!.config);
  const lacks = found === null ? [`the file has nothing at ${hook}`] : found.unmet.map(conditionWords);
  if (found === null || lacks.length > 0) {
    written.empty();
    return notMade(...lacks);
  }
  for (const { config } of configs) written.writeMaps(config, found.maps);
  const checked: CheckedWitness[] = [];
  for (const { path, policies, config } of configs) {
    const expected = engineDecision(policies, hook, found.input);
    const { index } = found;
    const its = await checkWitness(config, { file: written.file, hook, index, current }, expected);
    checked.push({ command: written.command(path, hook), ...its });
  }
  written.writeReadme(readmeOf(path.conditions.map(conditionWords), checked));
  return { hook, file: written.file, lacks: [], checked };
}

/** A task that a file can describe: a container has an id. */
function possible(current: Current): Current {
  const { container } = current;
  return container?.id === "" ? { ...current, container: { ...container, id: "witness" } } : current;
}

/** The names of signers that the model has, by what they sign. */
function wantedSigners({ origins }: Exploration, model: Input): ReadonlyMap<SignedItem, WantedSigner> {
  const signers = new Map<SignedItem, WantedSigner>();
  const isSigner = (origin: Origin) => origin.kind === "signer_of" || origin.kind === "signer_of_program";
  for (const origin of origins.values()) {
    const item = isSignatureQuestion(origin) && isSigner(origin) ? itemOf(origin) : null;
    const its = item === null ? null : (model.answer(origin, null) as WantedSigner | null);
    if (item !== null && its !== null) signers.set(item, its);
  }
  return signers;
}
