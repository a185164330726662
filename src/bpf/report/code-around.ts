import { disassemble } from "../insn/disassembly.js";
import type { Code } from "../model/code.js";

/** BPF_LD | BPF_IMM | BPF_DW (Documentation/bpf/standardization/instruction-set.rst). */
const LD_IMM64 = 0x18;
/** Instructions before and after the one that is shown. */
const AROUND = 3;

/**
 * An instruction with those around it, disassembled, with the lines of the source where they change. The instruction
 * itself begins with `>`.
 */
export function codeAround(code: Pick<Code, "insns" | "sourceAt">, slot: number): readonly string[] {
  const { count } = code.insns;
  if (slot < 0 || slot >= count) return [];
  const lines: string[] = [];
  let source: string | null = null;
  for (let at = Math.max(0, slot - AROUND); at <= Math.min(count - 1, slot + AROUND); at++) {
    // The second slot of an ld_imm64
    if (at > 0 && code.insns.opcode[at] === 0 && code.insns.opcode[at - 1] === LD_IMM64) continue;
    const its = code.sourceAt(at);
    if (its !== null && its !== source) lines.push(`; ${its}`);
    source = its;
    lines.push(`${at === slot ? ">" : " "} ${String(at).padStart(5)}: ${disassemble(code.insns, at)}`);
  }
  return lines;
}
