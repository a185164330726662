import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CountersignError } from "../../../error.js";
import { MAX_INPUT, readText } from "../../../input.js";
import type { NamedModules } from "../../input/module-choice.js";
import { machineModules } from "../../kernel/modules/machine-modules.js";
import { parseModuleNames } from "../../kernel/modules/module-names.js";
import { ModuleTree } from "../../kernel/modules/module-tree.js";
import {
  type NeededModule,
  type NeededModules,
  neededModules,
  presentModules,
} from "../../kernel/modules/present-modules.js";
import { MODULE_FILE } from "./judged-modules.js";

/** The modules of a kernel that a choice of `--modules` lists. */
export interface ChosenModules {
  /** Paths of modules, and of folders of modules. */
  readonly paths: readonly string[];
  /** The modules that the machine needs, for a file that can be named instead; null without `present`. */
  readonly present: readonly NeededModule[] | null;
  /** For people: where the names come from, and which are left out. */
  readonly notes: readonly string[];
}

/** A kernel whose modules are chosen. */
export interface ModulesOf {
  /** Null if its file does not say it. */
  readonly release: string | null;
  readonly name: string;
}

/** What a file of `--modules` names, or a module or folder that is named itself. */
interface Named {
  readonly names: readonly NeededModule[];
  readonly paths: readonly string[];
}

/**
 * Finds the chosen modules of a kernel in a root directory. Throws FILE_UNREADABLE, FILE_TOO_LARGE and
 * SEAL_MODULES_MALFORMED; USAGE if modules are named, and the kernel's release is not known.
 */
export async function chosenModules(choice: NamedModules, root: string, kernel: ModulesOf): Promise<ChosenModules> {
  const named = choice.files.map(namedIn);
  const paths = named.flatMap((each) => each.paths);
  const names = named.flatMap((each) => each.names);
  if (!choice.present && names.length === 0) return { paths, present: null, notes: [] };
  const tree = new ModuleTree(root, releaseOf(kernel));
  const machine = choice.present ? await machineModules(root, tree.release) : null;
  const present = machine === null ? null : presentModules(tree.index, machine, choice.sets);
  const listed = neededModules(tree.index, names);
  const found = new Set([...(present?.modules ?? []), ...listed.modules].map(({ name }) => name));
  const notes = [...(machine?.notes ?? []), `${found.size} of ${tree.index.names.length} modules of ${tree.release}`];
  return {
    paths: [...paths, ...[...found].sort().map((name) => tree.fileOf(name)!)],
    present: present?.modules ?? null,
    notes: [...notes, ...[present, listed].flatMap(absentIn)],
  };
}

function absentIn(needed: NeededModules | null): readonly string[] {
  if (needed === null || needed.absent.length === 0) return [];
  return [`not modules of this kernel: ${needed.absent.join(", ")}`];
}

function releaseOf({ release, name }: ModulesOf): string {
  if (release !== null) return release;
  throw new CountersignError("USAGE", "does not say its release, by which its modules are found", {
    place: name,
    remedy: "name the kernel's image or package with `--btf`, or modules by their paths with `--modules FILE`",
  });
}

function namedIn(path: string): Named {
  if (MODULE_FILE.test(path) || isFolder(path)) return { names: [], paths: [path] };
  const lines = parseModuleNames(readText(path, MAX_INPUT), path);
  return {
    names: lines.filter(({ isPath }) => !isPath).map(({ text }) => ({ name: text, why: `named in ${path}` })),
    paths: lines.filter(({ isPath }) => isPath).map(({ text }) => resolve(dirname(path), text)),
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
