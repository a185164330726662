import type { ScannedKernel } from "../effects/scanned-kernel.js";
import type { ObjectName } from "../model/references.js";
import type { Scan } from "../model/scan.js";
import type { Reads } from "../reads/reads.js";
import { type MapDetails, mapDetails } from "./map-details.js";
import { type ProgramCode, programCode } from "./program-code.js";

/** What is read of named objects alone. By id. */
export interface Details {
  readonly programs: ReadonlyMap<number, ProgramCode>;
  readonly maps: ReadonlyMap<number, MapDetails>;
}

export async function detailsOf(
  reads: Reads,
  scan: Scan,
  kernel: ScannedKernel,
  named: readonly ObjectName[],
): Promise<Details> {
  const isNamed = (kind: ObjectName["kind"], id: number) => named.some((one) => one.kind === kind && one.id === id);
  const programs = new Map<number, ProgramCode>();
  const maps = new Map<number, MapDetails>();
  for (const program of scan.programs) {
    if (!isNamed("program", program.id)) continue;
    programs.set(program.id, programCode(reads, program, scan, kernel));
    await reads.stored();
  }
  for (const map of scan.maps) if (isNamed("map", map.id)) maps.set(map.id, mapDetails(reads, map, kernel.types));
  return { programs, maps };
}
