import { INSN_SIZE, OP } from "../../bpf/insn/insn.js";

/** How the translated instructions of two loads relate. */
export type Relation = "same" | "same but for addresses" | "other";

/** Addresses of the kernel are not below this one, with page tables of five levels on x86-64 (57 bits), too. */
const KERNEL = 0xff00_0000_0000_0000n;

/**
 * Compares two translations. The verifier writes addresses of the load itself into some programs, such as that of its
 * auxiliary data before bpf_timer_set_callback (kernel/bpf/verifier.c, do_misc_fixups): two loads of one program then
 * differ there, and so may two programs. An address is an `ld_imm64` without a source, in both at the same place.
 */
export function relationOf(one: Uint8Array, other: Uint8Array): Relation {
  if (one.length !== other.length) return "other";
  const [first, second] = [viewOf(one), viewOf(other)];
  let relation: Relation = "same";
  for (let at = 0; at + INSN_SIZE <= one.length; at += INSN_SIZE) {
    const [a, b] = [addressAt(first, at), addressAt(second, at)];
    const isAddress = a !== null && b !== null && first.getUint16(at, true) === second.getUint16(at, true);
    if (isAddress && a !== b) relation = "same but for addresses";
    else if (first.getBigUint64(at, true) !== second.getBigUint64(at, true)) return "other";
    // the other half of the address was compared with the first one
    if (isAddress) at += INSN_SIZE;
  }
  return relation;
}

/** The address that an `ld_imm64` loads; null for any other instruction, and for any other value. */
function addressAt(insns: DataView, at: number): bigint | null {
  const isWide = insns.getUint8(at) === OP.LD_IMM64 && insns.getUint8(at + 1) >> 4 === 0;
  if (!isWide || at + 2 * INSN_SIZE > insns.byteLength) return null;
  const value = (BigInt(insns.getUint32(at + 12, true)) << 32n) | BigInt(insns.getUint32(at + 4, true));
  return value >= KERNEL ? value : null;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
