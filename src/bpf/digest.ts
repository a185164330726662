import { hash } from "node:crypto";
import { type ByteOrder, INSN_SIZE, LD_SRC, OP } from "./insn.js";

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** The kernel's tag for a digest: its first 8 bytes (bpf_prog_calc_tag of kernel/bpf/core.c, 6.18 and later). */
export function tagOf(digest: string): string {
  return digest.slice(0, 16);
}

/**
 * A copy of instructions with the file descriptors and offsets of maps set to zero, as the kernel does before it hashes
 * them: both imm words of each `ld_imm64` with src 1 or 2; those of the index forms (src 5 and 6) stay.
 */
export function zeroMapReferences(insns: Uint8Array, order: ByteOrder): Uint8Array {
  const zeroed = insns.slice();
  for (let at = 0; at + 2 * INSN_SIZE <= zeroed.length; at += INSN_SIZE) {
    if (zeroed[at] !== OP.LD_IMM64) continue;
    const src = order === "little" ? zeroed[at + 1]! >> 4 : zeroed[at + 1]! & 15;
    if (src === LD_SRC.MAP_FD || src === LD_SRC.MAP_VALUE) {
      zeroed.fill(0, at + 4, at + 8);
      zeroed.fill(0, at + 12, at + 16);
    }
    at += INSN_SIZE;
  }
  return zeroed;
}
