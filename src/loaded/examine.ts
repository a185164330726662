import { EFFECTS, type EffectName, type Effects } from "../bpf/model/facts.js";
import { digestsOfPrograms } from "./digests/digests-of-programs.js";
import { attachToOf } from "./effects/attach-type.js";
import { EffectsOfPrograms, type KnownEffects } from "./effects/effects-of-programs.js";
import type { ScannedKernel } from "./effects/scanned-kernel.js";
import type { ScannedProgram } from "./facts/scanned-program.js";
import type { Form } from "./forms/form.js";
import { formsOfPrograms } from "./forms/forms-of-programs.js";
import { attachTypesOf } from "./identify/attach-types.js";
import type { Identification } from "./identify/identify.js";
import { identifyPrograms } from "./identify/identify-programs.js";
import type { KnownSource } from "./identify/known-source.js";
import type { ProgramReport } from "./model/objects.js";
import type { Scan } from "./model/scan.js";
import type { View } from "./model/view.js";
import type { Reads } from "./reads/reads.js";
import { type Verified, verifiedPrograms } from "./verify/verified-programs.js";
import type { Approve } from "./verify/verify-programs.js";

/** What is found out about programs besides what the kernel lists. By id. */
export interface Examined {
  readonly effects: ReadonlyMap<number, KnownEffects>;
  /** SHA-256 of the instructions as they were loaded, in lower-case hex; nothing if the kernel does not show it. */
  readonly digests: ReadonlyMap<number, string>;
  readonly identified: ReadonlyMap<number, Identification>;
  /** What those that are not identified look like, which proves nothing, and which policies do not see. */
  readonly forms: ReadonlyMap<number, Form>;
  /** What policies can know of each program, in the order of the scan. */
  readonly subjects: readonly ScannedProgram[];
  /** Why the kernel does not show digests; null if it does. */
  readonly digestsReason: string | null;
  /** Why programs are not identified by their translated instructions, as clauses; empty if that was not asked for. */
  readonly notVerified: ReadonlyMap<number, string>;
  /** What could not be read of where programs are known from. */
  readonly views: readonly View[];
}

/** Of a program whose instructions cannot be read. */
const EVERYTHING = {
  ...(Object.fromEntries(EFFECTS.map((name) => [name, true])) as Record<EffectName, true>),
  read_only: false,
} satisfies Effects;

const NOT_VERIFIED: Verified = { identified: new Map(), reasons: new Map(), views: [] };

/** The attach type that all links and targets of a program say; undefined if they say none, or several. */
function attachTypeOf(report: ProgramReport, scan: Scan): string | undefined {
  const [first, ...others] = attachTypesOf(report, scan);
  return others.every((other) => other === first) ? first : undefined;
}

/**
 * `sources` are where programs are known from besides the files of processes. With `approve`, programs that are known
 * by their tags are verified ({@link verifyPrograms}). Throws what these throw.
 */
export async function examine(
  reads: Reads,
  scan: Scan,
  kernel: ScannedKernel,
  sources: readonly KnownSource[],
  approve: Approve | null = null,
): Promise<Examined> {
  const { types } = kernel;
  const analysis = new EffectsOfPrograms(reads, scan, kernel);
  const effects = new Map<number, KnownEffects>();
  for (const program of scan.programs) {
    effects.set(program.id, analysis.of(program));
    await reads.stored();
  }
  const { byId: digests, reason: digestsReason } = digestsOfPrograms(reads, scan.programs, kernel);
  const known = identifyPrograms(reads, scan, kernel, digests, sources);
  const verified = approve === null ? NOT_VERIFIED : await verifiedPrograms(reads, scan, kernel, known.byId, approve);
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  const subjects = scan.programs.map((report): ScannedProgram => {
    const its = effects.get(report.id)!;
    return {
      report,
      attachType: attachTypeOf(report, scan),
      attachTo: report.loadedFor === null ? null : (attachToOf(types.target(report.loadedFor)) ?? undefined),
      effects: its.effects ?? EVERYTHING,
      evidence: its.effects === null ? [] : its.evidence,
      digest: digests.get(report.id) ?? null,
      maps: report.maps.flatMap((id) => maps.get(id) ?? []),
    };
  });
  const identified = new Map(known.byId);
  for (const [id, identification] of verified.identified) {
    if (identification === null) identified.delete(id);
    else identified.set(id, identification);
  }
  const others = scan.programs.filter(({ id }) => !identified.has(id));
  const forms = formsOfPrograms(reads, scan, kernel, others);
  await reads.stored();
  const views = [...known.views, ...verified.views];
  return { effects, digests, identified, forms, subjects, digestsReason, notVerified: verified.reasons, views };
}
