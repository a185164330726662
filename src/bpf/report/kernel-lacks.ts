import { reachedHelperCalls } from "../analysis/effects.js";
import { helperName } from "../analysis/program-facts.js";
import type { Btf } from "../btf/btf.js";
import { CALL_SRC, isPoison, OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { PROGRAM_TYPES } from "../tables/names.gen.js";

/** Something that a program uses and a kernel does not have. */
export interface UnknownToKernel {
  /** Such as `program type netfilter`. */
  readonly what: string;
  /** The instruction that uses it; null for the program as a whole. */
  readonly insn: number | null;
}

/**
 * The first thing that a relocated program uses and its kernel lacks, because of which the kernel rejects the program:
 * its type, a helper, or what a relocation could not find. `nameOf` names what the relocation of an instruction refers
 * to. Null if there is nothing, or if only branches use it that the kernel does not take. A loader can still exclude a
 * branch by a setting.
 */
export function unknownTo(vmlinux: Btf, code: Code, nameOf: (slot: number) => string): UnknownToKernel | null {
  const type = PROGRAM_TYPES.indexOf(code.type);
  if (type >= 0 && !has(vmlinux, "bpf_prog_type", type)) return { what: `program type \`${code.type}\``, insn: null };
  const missing = missingHelpers(vmlinux, code);
  // Which instructions are reached is only computed where it matters.
  const slot = missing.size === 0 ? undefined : reachedHelperCalls(code)?.find((each) => missing.has(each));
  if (slot === undefined) return null;
  const id = code.insns.imm[slot]!;
  return { what: isPoison(id) ? nameOf(slot) : `helper \`${helperName(id)}\``, insn: slot };
}

/** The slots of calls of helpers that the kernel does not have. */
function missingHelpers(vmlinux: Btf, { insns }: Code): ReadonlySet<number> {
  const { opcode, src, imm, count } = insns;
  const missing = new Set<number>();
  for (let slot = 0; slot < count; slot++)
    if (opcode[slot] === OP.LD_IMM64) slot += 1;
    else if (opcode[slot] === OP.CALL && src[slot] === CALL_SRC.HELPER) {
      const id = imm[slot]!;
      if (isPoison(id) || !has(vmlinux, "bpf_func_id", id)) missing.add(slot);
    }
  return missing;
}

/** The values of enums of linux/bpf.h in a kernel's BTF, by the enum's name; null for an enum that it lacks. */
const enums = new WeakMap<Btf, Map<string, ReadonlySet<number> | null>>();

/** Whether an enum has the value; true if the kernel's BTF lacks the enum. */
function has(vmlinux: Btf, name: string, value: number): boolean {
  const known = enums.get(vmlinux) ?? new Map<string, ReadonlySet<number> | null>();
  enums.set(vmlinux, known);
  let values = known.get(name);
  if (values === undefined) {
    values = valuesOf(vmlinux, name);
    known.set(name, values);
  }
  return values === null || values.has(value);
}

function valuesOf(vmlinux: Btf, name: string): ReadonlySet<number> | null {
  const id = vmlinux.find("enum", name);
  if (id === 0) return null;
  const enumerators = Array.from({ length: vmlinux.length(id) }, (_, index) => vmlinux.enumerator(id, index)!);
  // `__BPF_FUNC_MAX_ID` and the like are one above the last value.
  return new Set(enumerators.filter((each) => !each.name.startsWith("__")).map((each) => Number(each.value)));
}
