import { hash } from "node:crypto";
import { type ByteOrder, INSN_SIZE, LD_SRC, OP } from "./insn.js";

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** The kernel's tag for a digest: its first 8 bytes (bpf_prog_calc_tag, kernel/bpf/core.c, Linux 6.18 and later). */
export function tagOf(digest: string): string {
  return digest.slice(0, 16);
}

/** A copy of the instructions with zeroed map references. */
export function zeroMapReferences(insns: Uint8Array, order: ByteOrder): Uint8Array {
  const zeroed = insns.slice();
  clearMapReferences(zeroed, order);
  return zeroed;
}

/**
 * Zeroes file descriptors and offsets of maps, as the kernel does before it hashes instructions: both imm words of each
 * `ld_imm64` with src 1 or 2. The index forms (src 5 and 6) are kept.
 */
export function clearMapReferences(insns: Uint8Array, order: ByteOrder): void {
  for (let at = 0; at + 2 * INSN_SIZE <= insns.length; at += INSN_SIZE) {
    if (insns[at] !== OP.LD_IMM64) continue;
    const src = order === "little" ? insns[at + 1]! >> 4 : insns[at + 1]! & 15;
    if (src === LD_SRC.MAP_FD || src === LD_SRC.MAP_VALUE) {
      insns.fill(0, at + 4, at + 8);
      insns.fill(0, at + 12, at + 16);
    }
    at += INSN_SIZE;
  }
}
