import type { CountersignError } from "../error.js";
import type { BpfObject, LinkedProgram, RelocatedFor, Relocator } from "./object.js";
import { RelocatedCode } from "./relocation/relocated-code.js";
import type { ResolvedProgram } from "./resolved-object.js";

/** Has the facts of objects computed from relocated instructions, and keeps what a kernel lacks for each program. */
export class Relocations {
  readonly #reasons: (CountersignError | null)[] = [];

  /** `resolve` resolves the linked programs of an object for the kernel, in their order. */
  constructor(
    private readonly resolve: (object: BpfObject, programs: readonly LinkedProgram[]) => readonly ResolvedProgram[],
  ) {}

  /**
   * Why each program that was relocated cannot load on the kernel, or is not known there, in the order of the calls;
   * null for programs without an obstacle.
   */
  get reasons(): readonly (CountersignError | null)[] {
    return this.#reasons;
  }

  /** A program that cannot be relocated keeps its facts from the object. */
  readonly relocate: Relocator = (object, programs): readonly (RelocatedFor | null)[] =>
    this.resolve(object, programs).map(({ relocated, error }, index) => {
      this.#reasons.push(error);
      if (relocated === null) return null;
      const { insns, tag } = relocated;
      return { code: new RelocatedCode(programs[index]![1], relocated), insns, isDigestConstant: tag !== null };
    });
}
