import { findAttachTarget } from "./core/attach-target.js";
import type { Kernel } from "./core/kernel.js";
import type { Variant } from "./core/variant.js";
import type { ElfFunction } from "./elf/symbols.js";
import type { ObjectProgram } from "./object/program.js";
import type { BpfObject } from "./object.js";
import { relocatorOf } from "./relocation/object-relocator.js";
import type { Relocated } from "./relocation/relocated.js";

export { Kallsyms } from "./core/kallsyms.js";
export { Kernel, type KernelModule } from "./core/kernel.js";
export type { Relocated } from "./relocation/relocated.js";

/**
 * Computes the instructions that a loader passes to bpf(2) for a program on a kernel. Throws CORE_… errors, which name
 * program, instruction, type and field, if the loader would not load the object or this program; and BTF_MALFORMED.
 * `program` is the linked program, if the caller has it.
 */
export function relocate(
  object: BpfObject,
  of: ElfFunction,
  kernel: Kernel,
  variant: Variant,
  program: ObjectProgram = object.program(of),
): Relocated {
  const relocated = relocatorOf(object, kernel, variant).relocate(of, program);
  return { ...relocated, attachTarget: findAttachTarget(program, kernel) };
}
