import type { Btf } from "../btf/btf.js";
import type { ByteOrder } from "../insn/insn.js";
import type { KernelExtern } from "./externs.js";
import type { CoreRelocation } from "./relocation.js";

/** The parts of an object that its programs share when they are relocated. */
export interface UnrelocatedObject {
  readonly order: ByteOrder;
  readonly btf: Btf | null;
  /** In libbpf's order. */
  readonly externs: readonly KernelExtern[];
  /**
   * The CO-RE relocations of all programs and functions, in libbpf's order. Without it, and if one of them fails or its
   * instruction cannot be changed, each program is relocated as if it were loaded alone.
   */
  readonly sequence?: readonly FunctionRelocation[];
  /** Maximum number of steps of all its relocations (steps.ts); a generous one if it is absent. */
  readonly maxSteps?: number;
}

/** A CO-RE relocation of a function that is not linked yet; its slot is counted from the start of the function. */
export interface FunctionRelocation extends CoreRelocation {
  /** The instructions of the function, the same array for all of its relocations. */
  readonly insns: Uint8Array;
}

export interface UnrelocatedProgram {
  readonly name: string;
  /**
   * Linked, in the object's byte order. References to maps have their src_reg and immediates of 0; calls of kfuncs have
   * src_reg 2; references to kernel symbols have immediates of 0.
   */
  readonly insns: Uint8Array;
  /** In the order of `insns`; the program itself is first. */
  readonly functions: readonly LinkedFunction[];
  /** In ascending order of slots. */
  readonly relocations: readonly CoreRelocation[];
  readonly externReferences: readonly ExternReference[];
}

export interface LinkedFunction {
  readonly name: string;
  /** Its first slot. */
  readonly start: number;
}

/** A call of a kfunc, or an `ld_imm64` of a kernel symbol. */
export interface ExternReference {
  readonly slot: number;
  /** Index in the object's externs. */
  readonly extern: number;
  readonly call: boolean;
}

/** A program as a loader passes it to one kernel. */
export interface RelocatedProgram {
  /** References to maps are zero, as are the fds of module BTF in `ld_imm64`. */
  readonly insns: Uint8Array;
  /** SHA-256 of `insns`. */
  readonly digest: string;
  /**
   * The kernel's tag, from Linux 6.18 on; null if instructions hold fds of module BTF, which the kernel does not zero.
   */
  readonly tag: string | null;
  /** The instructions that refer to the BTF of a module, in ascending order. All others have fd 0 or index 0. */
  readonly modules: readonly ModuleReference[];
  /** Slots that were replaced by invalid calls, since this kernel lacks what they refer to. Ascending. */
  readonly poisoned: readonly number[];
  /** The new slot of each slot, if the loader puts the functions into another order than libbpf; otherwise null. */
  readonly slots: Uint32Array | null;
}

export interface ModuleReference {
  readonly slot: number;
  readonly module: string;
  /** Index in fd_array for the call of a kfunc; null for an `ld_imm64`, whose fd is in its second slot. */
  readonly index: number | null;
}
