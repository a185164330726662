import { CountersignError } from "../../error.js";
import type { Kernel } from "../core/kernel.js";
import { unknownTo } from "../report/kernel-lacks.js";
import type { Relocated } from "./relocated.js";
import type { RelocatedCode } from "./relocated-code.js";

/**
 * Why a kernel rejects a relocated program: its attach target is missing, or something that it uses. Null if there is
 * no such reason.
 */
export function obstacleTo(
  name: string,
  code: RelocatedCode,
  relocated: Relocated,
  { vmlinux }: Kernel,
): CountersignError | null {
  const missing = missingTarget(name, relocated);
  const unknown = missing === null ? unknownTo(vmlinux, code, (slot) => code.describe(slot)) : null;
  if (unknown === null) return missing;
  const { what, insn } = unknown;
  const use = insn === null ? "" : ", unless a setting excludes the instruction that uses it";
  return new CountersignError("KERNEL_LACKS", `this kernel has no ${what}${use}`, {
    place: insn === null ? `program ${name}` : `program ${name}: instruction ${insn}`,
    remedy: "test whether the kernel has it before the program uses it, or load the program on another kernel",
  });
}

/**
 * The error of a program whose attach target this kernel lacks, so that a loader has to choose another; null if it has
 * the target, or none is needed.
 */
function missingTarget(program: string, { attachTarget }: Relocated): CountersignError | null {
  if (attachTarget === null || attachTarget.found !== null || attachTarget.inProgram) return null;
  return new CountersignError("CORE_UNRESOLVED", `this kernel has no attach target \`${attachTarget.name}\``, {
    place: `program ${program}`,
    remedy: "load the module that defines it, or have the loader choose another target",
  });
}
