import { type ListedInsn, translatedListing } from "../../bpf/translated-listing.js";
import { errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { programParts } from "../code/program-parts.js";
import { MALFORMED } from "../effects/effects-of-programs.js";
import type { ScannedKernel } from "../effects/scanned-kernel.js";
import type { ProgramReport } from "../model/objects.js";
import type { Scan } from "../model/scan.js";
import type { Reads } from "../reads/reads.js";

/** The translated instructions of a program. */
export interface ProgramCode {
  readonly insns: readonly ListedInsn[];
  /** Why there are none, as a clause; null if there are. */
  readonly reason: string | null;
}

export function programCode(
  reads: Reads,
  report: ProgramReport,
  { maps }: Scan,
  { types, callees }: ScannedKernel,
): ProgramCode {
  const { translated, functions, lines } = programParts(reads, report.id, ["translated", "functions", "lines"]);
  if (typeof translated === "number") return none(`its instructions cannot be read (${errorName(-translated)})`);
  const names = new Map(maps.map(({ id, name }) => [id, name]));
  try {
    const insns = translatedListing({
      ...{ name: report.name, type: report.type, insns: translated },
      functions: typeof functions === "number" ? new Uint8Array() : functions,
      lines: typeof lines === "number" ? new Uint8Array() : lines,
      btf: report.btfId === null ? null : types.btf(report.btfId),
      mapName: (id) => names.get(id) || null,
      kernel: callees.viewOf(report.type),
    });
    return { insns, reason: null };
  } catch (error) {
    if (error instanceof CountersignError && MALFORMED.includes(error.code)) return none(error.message);
    throw error;
  }
}

const none = (reason: string): ProgramCode => ({ insns: [], reason });
