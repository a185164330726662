import { programParts } from "../code/program-parts.js";
import type { ScannedKernel } from "../effects/scanned-kernel.js";
import { attachTypesOf } from "../identify/attach-types.js";
import type { Identification } from "../identify/identify.js";
import type { Scan } from "../model/scan.js";
import { incompleteView, type View } from "../model/view.js";
import type { Reads } from "../reads/reads.js";
import { textRead } from "../reads/values.js";
import { type Approve, type Verification, type VerifiedProgram, verifyPrograms } from "./verify-programs.js";

/** What verification found out, and why it was not possible. */
export interface Verified extends Verification {
  readonly views: readonly View[];
}

/** Verifies the programs that are known by their tags alone. Throws what `approve` throws. */
export async function verifiedPrograms(
  reads: Reads,
  scan: Scan,
  kernel: ScannedKernel,
  identified: ReadonlyMap<number, Identification>,
  approve: Approve,
): Promise<Verified> {
  const obstacle = obstacleOf(reads, kernel);
  if (obstacle !== null)
    return { identified: new Map(), reasons: new Map(), views: [incompleteView("verification", obstacle)] };
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  const programs = scan.programs.flatMap((report): readonly VerifiedProgram[] => {
    const identification = identified.get(report.id);
    if (identification?.by !== "tag") return [];
    const { translated } = programParts(reads, report.id, ["translated"]);
    if (typeof translated === "number") return [];
    return [
      {
        report,
        attachTypes: attachTypesOf(report, scan),
        maps: report.maps.flatMap((id) => maps.get(id) ?? []),
        candidates: identification.programs,
        translated,
      },
    ];
  });
  return { ...(await verifyPrograms(programs, approve)), views: [] };
}

/** Why translated instructions of two loads cannot be compared; null if they can be. */
function obstacleOf(reads: Reads, { symbols }: ScannedKernel): string | null {
  if (textRead(reads, "/proc/sys/net/core/bpf_jit_harden")?.trim() === "2")
    return "the kernel changes the constants of each load: set sysctl net.core.bpf_jit_harden to 0 or 1";
  if (symbols === null || symbols.isHidden)
    return "the kernel does not show which functions programs call: set sysctl kernel.kptr_restrict to 0 or 1";
  return null;
}
