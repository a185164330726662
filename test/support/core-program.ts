import type { Btf } from "../../src/bpf/btf/btf.js";
import type { KernelExtern } from "../../src/bpf/core/externs.js";
import type { Kernel } from "../../src/bpf/core/kernel.js";
import { ProgramRelocator } from "../../src/bpf/core/program.js";
import type { CoreRelocation } from "../../src/bpf/core/relocation.js";
import type { ExternReference, LinkedFunction, RelocatedProgram } from "../../src/bpf/core/unrelocated.js";
import type { Variant } from "../../src/bpf/core/variant.js";

/** Instructions of a little-endian program, as [opcode, dst, src, off, imm]. */
export type Insn = readonly [opcode: number, dst?: number, src?: number, off?: number, imm?: number];

export function insnsOf(rows: readonly Insn[], order: "little" | "big" = "little"): Uint8Array {
  const bytes = new Uint8Array(8 * rows.length);
  const view = new DataView(bytes.buffer);
  const little = order === "little";
  for (const [slot, [opcode, dst = 0, src = 0, off = 0, imm = 0]] of rows.entries()) {
    view.setUint8(8 * slot, opcode);
    view.setUint8(8 * slot + 1, little ? dst | (src << 4) : (dst << 4) | src);
    view.setInt16(8 * slot + 2, off, little);
    view.setInt32(8 * slot + 4, imm, little);
  }
  return bytes;
}

export function rowsOf(insns: Uint8Array): readonly Insn[] {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.length);
  return Array.from({ length: insns.length / 8 }, (_, slot): Insn => {
    const registers = view.getUint8(8 * slot + 1);
    return [
      view.getUint8(8 * slot),
      registers & 15,
      registers >> 4,
      view.getInt16(8 * slot + 2, true),
      view.getInt32(8 * slot + 4, true),
    ];
  });
}

export const MOV = 0xb7;
export const MOV32 = 0xb4;
export const ADD_X = 0x0f;
export const LD_IMM64 = 0x18;
export const LDX_B = 0x71;
export const LDX_H = 0x69;
export const LDX_W = 0x61;
export const LDX_DW = 0x79;
export const LDXSX_W = 0x81;
export const STX_W = 0x63;
export const CALL = 0x85;
export const BAD_RELO: Insn = [CALL, 0, 0, 0, 195_896_080];

export interface Parts {
  readonly btf: Btf;
  readonly kernel: Kernel;
  readonly insns: readonly Insn[];
  readonly functions?: readonly LinkedFunction[];
  readonly relocations?: readonly CoreRelocation[];
  readonly externs?: readonly KernelExtern[];
  readonly externReferences?: readonly ExternReference[];
  readonly variant?: Variant;
}

/** Relocates one program that a test writes instruction by instruction. */
export function relocated(parts: Parts): RelocatedProgram {
  const { btf, kernel, insns, relocations = [], externs = [], externReferences = [], variant = "libbpf-1.5" } = parts;
  const { functions = [{ name: "probe", start: 0 }] } = parts;
  const object = { order: btf.order, btf, externs };
  const program = { name: "probe", insns: insnsOf(insns, btf.order), functions, relocations, externReferences };
  return new ProgramRelocator(object, kernel, variant).relocate(program);
}

/** The instruction after one relocation of it. */
export function relocatedInsn(
  btf: Btf,
  kernel: Kernel,
  insn: Insn | readonly [Insn, Insn],
  relocation: Omit<CoreRelocation, "slot">,
  variant: Variant = "libbpf-1.5",
): readonly Insn[] {
  const insns = (Array.isArray(insn[0]) ? insn : [insn]) as readonly Insn[];
  return rowsOf(relocated({ btf, kernel, insns, relocations: [{ slot: 0, ...relocation }], variant }).insns);
}
