import { EFFECTS, type EffectName, type Effects } from "../bpf/model/facts.js";
import { digestsOfPrograms } from "./digests/digests-of-programs.js";
import { attachToOf } from "./effects/attach-type.js";
import { EffectsOfPrograms, type KnownEffects } from "./effects/effects-of-programs.js";
import type { ScannedProgram } from "./facts/scanned-program.js";
import { attachTypesOf } from "./identify/attach-types.js";
import type { Identification } from "./identify/identify.js";
import { identifyPrograms } from "./identify/identify-programs.js";
import type { KnownSource } from "./identify/known-source.js";
import type { ProgramReport } from "./model/objects.js";
import type { Scan } from "./model/scan.js";
import type { View } from "./model/view.js";
import type { Reads } from "./reads/reads.js";
import { KernelTypes } from "./views/kernel-types.js";

/** What is found out about programs besides what the kernel lists. By id. */
export interface Examined {
  readonly effects: ReadonlyMap<number, KnownEffects>;
  /** SHA-256 of the instructions as they were loaded, in lower-case hex; nothing if the kernel does not show it. */
  readonly digests: ReadonlyMap<number, string>;
  readonly identified: ReadonlyMap<number, Identification>;
  /** What policies can know of each program, in the order of the scan. */
  readonly subjects: readonly ScannedProgram[];
  /** Why the kernel does not show digests; null if it does. */
  readonly digestsReason: string | null;
  /** What could not be read of where programs are known from. */
  readonly views: readonly View[];
}

/** Of a program whose instructions cannot be read. */
const EVERYTHING = {
  ...(Object.fromEntries(EFFECTS.map((name) => [name, true])) as Record<EffectName, true>),
  read_only: false,
} satisfies Effects;

/** The attach type that all links and targets of a program say; undefined if they say none, or several. */
function attachTypeOf(report: ProgramReport, scan: Scan): string | undefined {
  const [first, ...others] = attachTypesOf(report, scan);
  return others.every((other) => other === first) ? first : undefined;
}

/** `sources` are where programs are known from besides the files of processes. Throws what they throw. */
export async function examine(reads: Reads, scan: Scan, sources: readonly KnownSource[]): Promise<Examined> {
  const types = new KernelTypes(reads);
  const analysis = new EffectsOfPrograms(reads, scan, types);
  const effects = new Map<number, KnownEffects>();
  for (const program of scan.programs) {
    effects.set(program.id, analysis.of(program));
    await reads.stored();
  }
  const { byId: digests, reason: digestsReason } = digestsOfPrograms(reads, scan.programs, types);
  const { byId: identified, views } = identifyPrograms(reads, scan, types, digests, sources);
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  const subjects = scan.programs.map((report): ScannedProgram => {
    const known = effects.get(report.id)!;
    return {
      report,
      attachType: attachTypeOf(report, scan),
      attachTo: report.loadedFor === null ? null : (attachToOf(types.target(report.loadedFor)) ?? undefined),
      effects: known.effects ?? EVERYTHING,
      evidence: known.effects === null ? [] : known.evidence,
      digest: digests.get(report.id) ?? null,
      maps: report.maps.flatMap((id) => maps.get(id) ?? []),
    };
  });
  return { effects, digests, identified, subjects, digestsReason, views };
}
