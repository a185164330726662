import type { MapReport, ProgramReport } from "../model/objects.js";
import type { KnownProgram } from "./known-program.js";
import { type LoadedReference, refersAsKnown } from "./map-references.js";

/** What is known of a loaded program besides the kernel's report. */
export interface LoadedProgram {
  readonly report: ProgramReport;
  /** SHA-256 of its instructions as they were loaded; null if the kernel does not show it. */
  readonly digest: string | null;
  /** As links and targets say it; empty if nothing says it. */
  readonly attachTypes: readonly string[];
  /** Null if its translated instructions cannot be read, or do not show the maps (sysctl net.core.bpf_jit_harden). */
  readonly references: readonly LoadedReference[] | null;
}

/** The known programs that a loaded one is, or can be. */
export interface Identification {
  /**
   * `digest`: its instructions before the load are those of the known programs, by SHA-256. `tag`: 64 bits of a hash
   * are equal, which proves nothing against the author of the known program.
   */
  readonly by: "digest" | "tag";
  /** All that fit: those with the loaded program's name first, then by file and name. */
  readonly programs: readonly KnownProgram[];
}

/** Known programs, to be looked up by what the kernel reports. */
export class KnownPrograms {
  readonly #byTag = new Map<string, KnownProgram[]>();

  constructor(programs: Iterable<KnownProgram>) {
    for (const program of programs) {
      const same = this.#byTag.get(program.tag);
      if (same === undefined) this.#byTag.set(program.tag, [program]);
      else same.push(program);
    }
  }

  /**
   * The known programs with the digest or tag of a loaded one that have its type, an attach type that it can have, and
   * its references to maps; null if there are none. The names of programs are not compared: a loader can choose them.
   */
  identify(loaded: LoadedProgram, mapById: (id: number) => MapReport | null): Identification | null {
    const { report, digest, attachTypes, references } = loaded;
    const programs = (this.#byTag.get(report.tag) ?? []).filter(
      (known) =>
        known.type === report.type &&
        (digest === null || known.digest === digest) &&
        attachTypes.every((type) => known.attachType === null || known.attachType === type) &&
        references !== null &&
        refersAsKnown(references, known.references, mapById),
    );
    if (programs.length === 0) return null;
    const isOther = ({ name }: KnownProgram) => Number(!name.startsWith(report.name));
    programs.sort((a, b) => isOther(a) - isOther(b) || compare(a.file, b.file) || compare(a.name, b.name));
    return { by: digest === null ? "tag" : "digest", programs };
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
