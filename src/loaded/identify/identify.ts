import { sha256, tagOf } from "../../bpf/insn/digest.js";
import type { MapReport, ProgramReport } from "../model/objects.js";
import type { KnownMap, KnownProgram } from "./known-program.js";
import { assignedMaps, type LoadedReference } from "./map-references.js";
import { withoutMaps } from "./missing-maps.js";

/** What is known of a loaded program besides the kernel's report. */
export interface LoadedProgram {
  readonly report: ProgramReport;
  /** SHA-256 of its instructions as they were loaded; null if the kernel does not show it. */
  readonly digest: string | null;
  /** As links and targets say it; empty if nothing says it. */
  readonly attachTypes: readonly string[];
  /** Null if its translated instructions cannot be read, or do not show the maps (sysctl net.core.bpf_jit_harden). */
  readonly references: readonly LoadedReference[] | null;
  /** Those of its report, as far as the kernel lists them. */
  readonly maps: readonly MapReport[];
}

/** A known program that a loaded one can be. */
export interface Candidate extends KnownProgram {
  /** The known map for each map that translated instructions refer to, by id; null if its references are not known. */
  readonly assigned: ReadonlyMap<number, KnownMap> | null;
}

/** The known programs that a loaded one is, or can be. */
export interface Identification {
  /**
   * `digest`: its instructions before the load are those of the known programs, by SHA-256. `tag`: 64 bits of a hash
   * are equal, which proves nothing against the author of the known program. `translated`: the kernel translates the
   * known programs to the same instructions.
   */
  readonly by: "digest" | "translated" | "tag";
  /** All that fit: those with the loaded program's name first, then those of packages, then by file and name. */
  readonly programs: readonly Candidate[];
}

/** How a kernel makes the tag of instructions with zeroed references to maps. */
export type TagOfInsns = (insns: Uint8Array, digest: string) => string | null;

/** Maximum numbers of known programs, and of bytes of their instructions. */
const MAX_PROGRAMS = 500_000;
const MAX_INSNS = 1 << 28;
/** Maximum number of known programs that are tried without some of their maps, for one loaded program. */
const TRIED = 64;

/** Known programs, to be looked up by what the kernel reports. */
export class KnownPrograms {
  /** Whether there were more than can be kept. */
  readonly isFull: boolean;
  readonly #byTag = new Map<string, KnownProgram[]>();
  /** Those with references to maps. */
  readonly #byType = new Map<string, KnownProgram[]>();

  constructor(
    programs: Iterable<KnownProgram>,
    private readonly kernelTag: TagOfInsns,
  ) {
    let [count, bytes] = [0, 0];
    for (const program of programs) {
      count += 1;
      bytes += program.insns?.length ?? 0;
      if (count > MAX_PROGRAMS || bytes > MAX_INSNS) break;
      put(this.#byTag, program.tag ?? tagOf(program.digest), program);
      if (program.type !== null && (program.references?.length ?? 0) > 0) put(this.#byType, program.type, program);
    }
    this.isFull = count > MAX_PROGRAMS || bytes > MAX_INSNS;
  }

  /**
   * The known programs with the digest or tag of a loaded one that have its type, an attach type that it can have, and
   * its references to maps, as far as they are known; null if there are none. `fits` says whether a loaded map can
   * stand for a known one. The names of programs are not compared: a loader can choose them.
   */
  identify(loaded: LoadedProgram, fits: (map: number, known: KnownMap) => boolean): Identification | null {
    const { report, digest } = loaded;
    const same = this.#candidates(this.#byTag.get(report.tag) ?? [], loaded, fits);
    const programs = same.length > 0 ? same : this.#candidates(this.#withoutMaps(loaded), loaded, fits);
    if (programs.length === 0) return null;
    const isOther = ({ name }: KnownProgram) => Number(name === "" || !name.startsWith(report.name));
    const isLoose = (program: KnownProgram) => Number(program.package === null);
    programs.sort(
      (a, b) =>
        isOther(a) - isOther(b) || isLoose(a) - isLoose(b) || compare(a.file, b.file) || compare(a.name, b.name),
    );
    return { by: digest === null ? "tag" : "digest", programs };
  }

  #candidates(
    programs: Iterable<KnownProgram>,
    { report, digest, attachTypes, references }: LoadedProgram,
    fits: (map: number, known: KnownMap) => boolean,
  ): Candidate[] {
    const found: Candidate[] = [];
    for (const known of programs) {
      if (known.type !== null && known.type !== report.type) continue;
      // a tag that is not known is not that of this kernel
      if (digest === null ? known.tag === null : known.digest !== digest) continue;
      if (attachTypes.some((type) => known.attachType !== null && known.attachType !== type)) continue;
      if (references === null) continue;
      const assigned = known.references === null ? null : assignedMaps(references, known.references, fits);
      if (assigned !== null || known.references === null) found.push({ ...known, assigned });
    }
    return found;
  }

  /** Programs with a loaded one's name that have its tag if their loader did not create all of their maps. */
  *#withoutMaps({ report, maps }: LoadedProgram): Generator<KnownProgram, void, void> {
    if (report.name === "") return;
    let left = TRIED;
    for (const known of this.#byType.get(report.type) ?? []) {
      if (!known.name.startsWith(report.name)) continue;
      left -= 1;
      if (left < 0) return;
      for (const { insns, references } of withoutMaps(known, maps)) {
        const digest = sha256(insns);
        const tag = this.kernelTag(insns, digest);
        if (tag !== report.tag) continue;
        yield { ...known, insns, references, digest, tag };
        break;
      }
    }
  }
}

function put<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
