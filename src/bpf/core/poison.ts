import { INSN_SIZE, OP } from "../insn/insn.js";

/** Bases of the helper ids that libbpf calls in place of what a kernel lacks; no kernel has such helpers. */
const BASES = {
  /** A CO-RE relocation without target: 0xbad2310. */
  relocation: 195_896_080,
  /** A map that the loader does not create, plus its index in the object's maps. */
  map: 2_001_000_000,
  /** A weak kfunc that the kernel lacks, plus its index in the object's externs. */
  kfunc: 2_002_000_000,
} as const;

/** Writes the invalid call over one slot. An `ld_imm64` needs two calls, one for each of its slots. */
export function poison(insns: DataView, little: boolean, slot: number, what: keyof typeof BASES, index = 0): void {
  const at = slot * INSN_SIZE;
  insns.setUint8(at, OP.CALL);
  insns.setUint8(at + 1, 0);
  insns.setInt16(at + 2, 0);
  insns.setInt32(at + 4, BASES[what] + index, little);
}
