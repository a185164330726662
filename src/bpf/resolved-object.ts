import { CountersignError } from "../error.js";
import type { KernelUse } from "./core/kernel.js";
import type { Variant } from "./core/variant.js";
import { BpfObject, type LinkedProgram, linkedPrograms } from "./object.js";
import { type Kernel, type Relocated, relocate } from "./relocate.js";
import { obstacleTo } from "./relocation/obstacle.js";
import { RelocatedCode } from "./relocation/relocated-code.js";
import { tagOnKernel } from "./report/kernel-tag.js";

/** A program as a loader passes it to one kernel, or the reason why it cannot load there. */
export interface ResolvedProgram {
  readonly name: string;
  readonly section: string;
  readonly type: string;
  /** Null if its instructions cannot be known. */
  readonly relocated: Relocated | null;
  /** The tag that this kernel reports; null if it cannot be known. */
  readonly tag: string | null;
  /** Why a loader cannot load it. What only the kernel rejects does not change the instructions. */
  readonly error: CountersignError | null;
}

/** The programs of one object on a kernel, and what they used of it besides the BTF of vmlinux. */
export interface ResolvedPrograms {
  readonly programs: readonly ResolvedProgram[];
  readonly used: KernelUse;
}

/** Resolves each program of an object for a kernel, in libbpf's order. Throws the errors of BpfObject. */
export function resolveObject(bytes: Uint8Array, kernel: Kernel, variant: Variant): ResolvedPrograms {
  const object = new BpfObject(bytes);
  return resolvePrograms(object, linkedPrograms(object), kernel, variant);
}

/** The same for an object whose programs are linked, and that is not resolved for this kernel otherwise. */
export function resolvePrograms(
  object: BpfObject,
  programs: readonly LinkedProgram[],
  kernel: Kernel,
  variant: Variant,
): ResolvedPrograms {
  const { result, used } = kernel.use(() => programs.map((linked) => resolve(object, linked, kernel, variant)));
  return { programs: result, used };
}

function resolve(object: BpfObject, [of, program]: LinkedProgram, kernel: Kernel, variant: Variant): ResolvedProgram {
  const { name, section } = of;
  const known = { name, section: section.name, type: program.type };
  try {
    const relocated = relocate(object, of, kernel, variant, program);
    const tag = tagOnKernel(kernel.vmlinux, relocated);
    const error = obstacleTo(name, new RelocatedCode(program, relocated), relocated, kernel);
    return { ...known, relocated, tag, error };
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { ...known, relocated: null, tag: null, error };
  }
}
