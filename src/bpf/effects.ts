import type { Code } from "./code.js";
import type { Effects, Evidence } from "./facts.js";
import { Findings } from "./findings.js";
import { CALL_SRC, LD_SRC, OP } from "./insn.js";
import { formats, HELPER_ROWS } from "./tables/helpers.js";
import { KFUNC_ROWS } from "./tables/kfuncs.js";
import { PROGRAM_TYPE_ROWS } from "./tables/program-types.js";

/** What a program may do, and where. Never throws: what cannot be told may be. */
export function effectsOf(code: Code): { readonly effects: Effects; readonly evidence: readonly Evidence[] } {
  const findings = new Findings(code);
  const type = PROGRAM_TYPE_ROWS.get(code.type);
  if (type === undefined) findings.anything(null, `what a program of type \`${code.type}\` may do is not known`);
  else {
    const verdict = type.verdictBy?.[code.expectedAttachType ?? ""] ?? type.verdict;
    if (type.calls_bpf) findings.anything(null, `a program of type \`${type.type}\` can call bpf(2)`);
    if (verdict !== "ignored") findings.note("decides", null, `what a \`${type.type}\` program returns is a verdict`);
    if (verdict !== "ignored" && verdict !== "always" && verdict.redirects.length > 0)
      findings.note("redirects", null, `what a \`${type.type}\` program returns can send the packet elsewhere`);
  }
  const { insns } = code;
  for (let slot = 0; slot < insns.count; slot++) {
    const opcode = insns.opcode[slot]!;
    if (opcode === OP.CALL) call(code, findings, slot);
    if (opcode === OP.LD_IMM64 && insns.src[slot] === LD_SRC.BTF_ID)
      findings.note("reads_kernel_memory", slot, "takes the address of a kernel symbol");
    const store = (opcode & OP.CLASS) === OP.STX || (opcode & OP.CLASS) === OP.ST;
    if (store && insns.dst[slot] !== 10 && type !== undefined) {
      if (type.context.pointers.length > 0) findings.note("writes_packet", slot, "may store into the packet");
      if (type.context.writable.length > 0) findings.note("writes_ctx", slot, "may store into the context");
    }
  }
  return { effects: findings.effects(), evidence: findings.evidence() };
}

function call(code: Code, findings: Findings, slot: number): void {
  const { insns } = code;
  const kind = insns.src[slot];
  if (kind === CALL_SRC.SUBPROGRAM) return;
  if (kind === CALL_SRC.KFUNC) {
    const name = code.kfuncAt(slot)?.name;
    const row = name === undefined ? undefined : KFUNC_ROWS.get(name);
    if (row === undefined) findings.anything(slot, `calls kfunc \`${name ?? "?"}\`, which is not known`);
    else for (const effect of row.effects) findings.note(effect, slot, `calls kfunc \`${name}\``);
    return;
  }
  const row = HELPER_ROWS[insns.imm[slot]!];
  if (row === undefined) {
    findings.anything(slot, `calls helper ${insns.imm[slot]}, which is not known`);
    return;
  }
  for (const effect of row.effects) findings.note(effect, slot, `calls \`bpf_${row.name}\``);
  if (row.effects.includes("calls_bpf")) findings.anything(slot, `calls \`bpf_${row.name}\``);
  if (formats(row)) {
    findings.note("reads_kernel_memory", slot, `prints by a format in \`bpf_${row.name}\``);
    findings.note("reads_user_memory", slot, `prints by a format in \`bpf_${row.name}\``);
  }
}
