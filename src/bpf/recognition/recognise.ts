import { compareBtfObjects, compareProgram } from "./attach.js";
import { compareInstructions } from "./instructions.js";
import type { KernelConfiguration } from "./kconfig-contents.js";
import type { LiveMap, LiveProgramLoad } from "./live-load.js";
import { assignMaps, compareMap } from "./maps.js";
import { type Difference, Differs, differ } from "./properties.js";
import { compareFunctions, compareRelocations } from "./records.js";
import { chosenSettings, type RecognisedSetting } from "./settings.js";
import type { ExpectedProgram } from "./stated-program.js";

/** A load that is what a statement says. */
export interface Recognised {
  /** The settings of the maps that the program uses, changed or not, and what the statement opens. */
  readonly settings: readonly RecognisedSetting[];
  /** The name in the object of each of the kernel's maps that the program uses, by id. */
  readonly maps: ReadonlyMap<number, string>;
}

/** Whether a load is this program, and with which settings; otherwise the first property in which it differs. */
export function recognise(
  expected: ExpectedProgram,
  load: LiveProgramLoad,
  kernel: () => KernelConfiguration | null,
): Recognised | Difference {
  try {
    return matched(expected, load, kernel);
  } catch (error) {
    if (error instanceof Differs) return error.difference;
    throw error;
  }
}

function matched(
  expected: ExpectedProgram,
  load: LiveProgramLoad,
  kernel: () => KernelConfiguration | null,
): Recognised {
  const use = compareInstructions(expected, load);
  const choice = compareProgram(expected, load);
  compareRelocations(expected, load);
  if (expected.object.btf !== load.btf) differ("btf", expected.object.btf ?? "none", load.btf ?? "none");
  compareFunctions(expected, load);
  compareBtfObjects(expected, load);
  const assigned = assignMaps(expected, use, load);
  for (const [index, map] of assigned) compareMap(expected, expected.object.maps[index]!, map, kernel);
  const settings = chosenSettings(expected, { assigned, missing: use.missing, load, choice });
  return { settings, maps: namesOf(expected, assigned) };
}

function namesOf({ object }: ExpectedProgram, assigned: ReadonlyMap<number, LiveMap>): ReadonlyMap<number, string> {
  return new Map(Array.from(assigned, ([index, { id }]) => [id, object.maps[index]!.name]));
}
