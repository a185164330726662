import { Kallsyms, Kernel, type KernelModule } from "../../bpf/relocate.js";
import { CountersignError } from "../../error.js";
import { programParts } from "../code/program-parts.js";
import type { Scan } from "../model/scan.js";
import type { Reads } from "../reads/reads.js";
import { fileRead, textRead } from "../reads/values.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import type { KernelTypes } from "../views/kernel-types.js";
import { attachTypesOf } from "./attach-types.js";
import { EmbeddedObjects } from "./embedded-objects.js";
import { type Identification, KnownPrograms } from "./identify.js";
import { knownPrograms } from "./known-object.js";
import type { KnownProgram } from "./known-program.js";
import { loadedReferences } from "./map-references.js";

/** The known programs that each program is, by id; nothing for one that is none of them. */
export function identifyPrograms(
  reads: Reads,
  scan: Scan,
  types: KernelTypes,
  digests: ReadonlyMap<number, string>,
): ReadonlyMap<number, Identification> {
  const known = new KnownPrograms(knownIn(reads, scan, types));
  const found = new Map<number, Identification>();
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  const hidesMaps = textRead(reads, "/proc/sys/net/core/bpf_jit_harden")?.trim() === "2";
  for (const report of scan.programs) {
    const { translated } = programParts(reads, report.id);
    const references =
      hidesMaps || typeof translated === "number" ? null : readable(() => loadedReferences(translated));
    const loaded = {
      report,
      digest: digests.get(report.id) ?? null,
      attachTypes: attachTypesOf(report, scan),
      references,
    };
    const identification = known.identify(loaded, (id) => maps.get(id) ?? null);
    if (identification !== null) found.set(report.id, identification);
  }
  return found;
}

/** The programs of the objects in files of processes that refer to what is loaded. */
function* knownIn(reads: Reads, scan: Scan, types: KernelTypes): Generator<KnownProgram> {
  const vmlinux = types.btf(types.vmlinux);
  if (vmlinux === null) return;
  const kernel = new Kernel(vmlinux, () => modulesOf(reads, types), kallsymsOf(reads));
  // an object that no loader could load is not known
  for (const { bytes, file, offset } of new EmbeddedObjects(reads).of(scan.references))
    yield* readable(() => knownPrograms(bytes, { file, offset }, kernel)) ?? [];
}

function modulesOf(reads: Reads, types: KernelTypes): readonly KernelModule[] {
  return btfIds(reads).flatMap((id) => {
    const name = id === types.vmlinux ? null : btfName(reads, id);
    const btf = name === null || name === "" ? null : types.btf(id);
    return btf === null ? [] : [{ name: name!, btf }];
  });
}

function kallsymsOf(reads: Reads): Kallsyms | null {
  const symbols = fileRead(reads, "/proc/kallsyms");
  return typeof symbols === "number" ? null : new Kallsyms(symbols);
}

/** Null for what is malformed. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}
