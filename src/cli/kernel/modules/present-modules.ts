import { moduleName } from "./module-alias.js";
import type { ModuleIndex } from "./module-index.js";
import { MODULE_SETS } from "./module-sets.js";

/** What of a machine says which modules it needs. Null for a source that could not be read. */
export interface MachineModules {
  /** Names in /proc/modules. */
  readonly loaded: readonly string[] | null;
  /** Names of the modules in the initramfs. */
  readonly initramfs: readonly string[] | null;
  /** The modalias of each device in /sys/devices. */
  readonly devices: readonly string[] | null;
}

/** A module that is needed, and the first reason why. */
export interface NeededModule {
  readonly name: string;
  readonly why: string;
}

export interface NeededModules {
  /** In the order of their names, without those that the kernel lacks or has built in. */
  readonly modules: readonly NeededModule[];
  /** Names that are neither modules of this kernel nor built in: it may have them under another name. */
  readonly absent: readonly string[];
}

/**
 * The modules of a kernel that a machine needs: those that are loaded, in the initramfs, for a device that is there, or
 * in one of the sets, and what modprobe loads with them.
 */
export function presentModules(index: ModuleIndex, machine: MachineModules, sets: readonly string[]): NeededModules {
  const asked: NeededModule[] = [];
  for (const name of machine.loaded ?? []) asked.push({ name, why: "loaded" });
  for (const name of machine.initramfs ?? []) asked.push({ name, why: "in the initramfs" });
  for (const alias of machine.devices ?? [])
    for (const name of index.matching(alias)) asked.push({ name, why: `device ${shortened(alias)}` });
  const named = [...asked];
  for (const set of MODULE_SETS) {
    if (!sets.includes(set.name)) continue;
    const own = [...index.below(set.folders), ...set.modules.filter((name) => index.pathOf(name) !== null)];
    named.push(...own.map((name) => ({ name, why: `set ${set.name}` })));
  }
  return neededModules(index, named);
}

/** Those of `named` that the kernel has, and what modprobe loads with them. */
export function neededModules(index: ModuleIndex, named: readonly NeededModule[]): NeededModules {
  const found = new Map<string, string>();
  const absent = new Set<string>();
  for (const { name: given, why } of named) {
    const name = moduleName(given);
    if (index.pathOf(name) !== null) {
      if (!found.has(name)) found.set(name, why);
    } else if (!index.isBuiltIn(name)) absent.add(name);
  }
  for (const name of [...found.keys()])
    for (const other of index.loadedWith(name)) if (!found.has(other)) found.set(other, `with ${name}`);
  const modules = [...found].map(([name, why]) => ({ name, why }));
  return { modules: modules.sort((a, b) => (a.name < b.name ? -1 : 1)), absent: [...absent].sort() };
}

/** In characters: the modalias of a processor lists all its features. */
const MAX_ALIAS = 40;

function shortened(alias: string): string {
  return alias.length > MAX_ALIAS ? `${alias.slice(0, MAX_ALIAS)}…` : alias;
}
