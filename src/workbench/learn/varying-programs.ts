import { order } from "./order.js";
import type { SeenProgram } from "./seen-program.js";

/** A program whose instructions differ from run to run, so that its next digest is not known. */
export interface VaryingProgram {
  readonly name: string;
  readonly type: string;
  readonly exe: string | null;
  /** Number of digests that were seen. */
  readonly digests: number;
}

interface Variants {
  readonly program: SeenProgram;
  readonly runs: Set<number>;
  /** The runs that loaded each digest. */
  readonly digests: Map<string, Set<number>>;
}

/**
 * Finds programs whose digest differs from run to run: an executable loads a program of this name and type in several
 * runs, on one kernel, and not all of them load the same digests. A compiler such as bpftrace makes such programs.
 */
export class VaryingPrograms {
  readonly #variants = new Map<string, Variants>();

  /** `run`: the process that loaded the program. */
  add(program: SeenProgram, run: number): void {
    const { name, type, exe, kernel, digest } = program;
    const key = JSON.stringify([exe, type, name, kernel]);
    const known = this.#variants.get(key) ?? { program, runs: new Set(), digests: new Map() };
    this.#variants.set(key, known);
    known.runs.add(run);
    const runs = known.digests.get(digest) ?? new Set();
    known.digests.set(digest, runs.add(run));
  }

  /** Those with a digest in `learnt`, sorted by name, type and executable. */
  found(learnt: ReadonlySet<string>): readonly VaryingProgram[] {
    return [...this.#variants]
      .filter(([, { runs, digests }]) => {
        const varies = digests.size > 1 && [...digests.values()].some((its) => its.size < runs.size);
        return varies && [...digests.keys()].some((digest) => learnt.has(digest));
      })
      .map(
        ([
          ,
          {
            program: { name, type, exe },
            digests,
          },
        ]) => ({ name, type, exe, digests: digests.size }),
      )
      .sort((a, b) => order(a.name, b.name) || order(a.type, b.type) || order(a.exe ?? "", b.exe ?? ""));
  }
}
