import { CountersignError } from "../../error.js";
import { sha256, tagOf } from "../insn/digest.js";
import { CiliumRelocator } from "./cilium-relocator.js";
import { coreError } from "./core-error.js";
import type { Kernel } from "./kernel.js";
import { LibbpfRelocator, type LoadedInsns } from "./libbpf-relocator.js";
import type { RelocatedProgram, UnrelocatedObject, UnrelocatedProgram } from "./unrelocated.js";
import type { Variant } from "./variant.js";

/** Relocates the programs of one object for one kernel as one loader does. */
export class ProgramRelocator {
  readonly #loader: { relocate(program: UnrelocatedProgram): LoadedInsns; readonly steps?: number };

  /** Throws CORE_BYTE_ORDER. */
  constructor(object: UnrelocatedObject, kernel: Kernel, variant: Variant) {
    const { order } = kernel.vmlinux;
    if (object.order !== order)
      throw coreError("CORE_BYTE_ORDER", `the object is ${object.order} endian, and the kernel is ${order} endian`);
    this.#loader =
      variant === "cilium" ? new CiliumRelocator(object, kernel) : new LibbpfRelocator(object, kernel, variant);
  }

  /** The number of steps that libbpf's relocations took so far (steps.ts). */
  get steps(): number {
    return this.#loader.steps ?? 0;
  }

  /**
   * The instructions that the loader passes to bpf(2) for this kernel. Throws errors with code CORE_…, which name the
   * program, the instruction, and the type and field; and BTF_MALFORMED.
   */
  relocate(program: UnrelocatedProgram): RelocatedProgram {
    try {
      const { insns, modules, poisoned, slots } = this.#loader.relocate(program);
      const digest = sha256(insns);
      return {
        insns,
        digest,
        tag: modules.some(({ index }) => index === null) ? null : tagOf(digest),
        modules: [...modules].sort((a, b) => a.slot - b.slot),
        poisoned: [...poisoned].sort((a, b) => a - b),
        slots,
      };
    } catch (error) {
      throw error instanceof CountersignError ? error.within(`program ${program.name}`) : error;
    }
  }
}
