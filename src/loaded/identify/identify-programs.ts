import { tagOf } from "../../bpf/insn/digest.js";
import { Kallsyms, Kernel, type KernelModule } from "../../bpf/relocate.js";
import { tagOnKernel } from "../../bpf/report/kernel-tag.js";
import { programParts } from "../code/program-parts.js";
import type { ScannedKernel } from "../effects/scanned-kernel.js";
import type { Scan } from "../model/scan.js";
import { incompleteView, type View } from "../model/view.js";
import type { Raw, Reads } from "../reads/reads.js";
import { textRead } from "../reads/values.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import type { KernelTypes } from "../views/kernel-types.js";
import { attachTypesOf } from "./attach-types.js";
import { EmbeddedObjects } from "./embedded-objects.js";
import { FrozenContents } from "./frozen-contents.js";
import { type Identification, KnownPrograms } from "./identify.js";
import { knownPrograms } from "./known-object.js";
import { filePlace, type KnownProgram } from "./known-program.js";
import type { KnownSource } from "./known-source.js";
import { loadedReferences } from "./map-references.js";
import { readable } from "./readable.js";

/** The known programs that loaded ones are. */
export interface Identified {
  /** By id; nothing for a program that is none of them. */
  readonly byId: ReadonlyMap<number, Identification>;
  /** What could not be read of where programs are known from. */
  readonly views: readonly View[];
}

/** Identifies programs. `sources` are known besides the objects in files of processes. Throws what they throw. */
export function identifyPrograms(
  reads: Reads,
  scan: Scan,
  { types, symbolText }: ScannedKernel,
  digests: ReadonlyMap<number, string>,
  sources: readonly KnownSource[],
): Identified {
  const byId = new Map<number, Identification>();
  const reasons: string[] = [];
  const vmlinux = scan.programs.length === 0 ? null : types.btf(types.vmlinux);
  if (vmlinux === null) return { byId, views: [] };
  const kernel = new Kernel(vmlinux, () => modulesOf(reads, types), kallsymsOf(symbolText));
  const known = new KnownPrograms(knownIn(reads, scan, kernel, sources, reasons), (insns, digest) =>
    tagOnKernel(vmlinux, { insns, tag: tagOf(digest) }),
  );
  if (known.isFull) reasons.push("there are more of them than can be compared");
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  const contents = new FrozenContents(reads, scan.maps);
  const hidesMaps = textRead(reads, "/proc/sys/net/core/bpf_jit_harden")?.trim() === "2";
  for (const report of scan.programs) {
    const { translated } = programParts(reads, report.id, ["translated"]);
    const references =
      hidesMaps || typeof translated === "number" ? null : readable(() => loadedReferences(translated));
    const loaded = {
      report,
      digest: digests.get(report.id) ?? null,
      attachTypes: attachTypesOf(report, scan),
      references,
      maps: report.maps.flatMap((id) => maps.get(id) ?? []),
    };
    const identification = known.identify(loaded, contents.fits);
    if (identification !== null) byId.set(report.id, identification);
  }
  return { byId, views: reasons.map((reason) => incompleteView("known programs", reason)) };
}

/** The programs of the objects in files of processes that refer to what is loaded, and those of the sources. */
function* knownIn(
  reads: Reads,
  scan: Scan,
  kernel: Kernel,
  sources: readonly KnownSource[],
  reasons: string[],
): Generator<KnownProgram> {
  // an object that no loader could load is not known
  for (const { bytes, file, offset } of new EmbeddedObjects(reads).of(scan.references))
    yield* readable(() => knownPrograms(bytes, filePlace(file, offset), kernel)) ?? [];
  for (const source of sources) yield* source(kernel, (reason) => reasons.push(reason));
}

function modulesOf(reads: Reads, types: KernelTypes): readonly KernelModule[] {
  return btfIds(reads).flatMap((id) => {
    const name = id === types.vmlinux ? null : btfName(reads, id);
    const btf = name === null || name === "" ? null : types.btf(id);
    return btf === null ? [] : [{ name: name!, btf }];
  });
}

function kallsymsOf(symbols: Raw): Kallsyms | null {
  return typeof symbols === "number" ? null : new Kallsyms(symbols);
}
