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

/** The instructions with zeroed map references: a copy, or the given bytes if there is nothing to zero. */
export function zeroMapReferences(insns: Uint8Array, order: ByteOrder): Uint8Array {
  if (nextMapReference(insns, order, 0) === -1) return insns;
  // A Buffer's own slice() would share its memory.
  const zeroed = new Uint8Array(insns);
  clearMapReferences(zeroed, order);
  return zeroed;
}

/**
 * Zeroes file descriptors and offsets of maps, as the kernel does before it hashes instructions: both imm words of each
 * `ld_imm64` with src 1 or 2. The index forms (src 5 and 6) are kept.
 */
export function clearMapReferences(insns: Uint8Array, order: ByteOrder): void {
  for (let at = nextMapReference(insns, order, 0); at !== -1; at = nextMapReference(insns, order, at + WIDE_SIZE)) {
    clearWord(insns, at + 4);
    clearWord(insns, at + 12);
  }
}

/** By assignments: a program can have half a million references, and a call of fill() takes longer. */
function clearWord(bytes: Uint8Array, at: number): void {
  bytes[at] = 0;
  bytes[at + 1] = 0;
  bytes[at + 2] = 0;
  bytes[at + 3] = 0;
}

/** An `ld_imm64` takes two slots. */
const WIDE_SIZE = 2 * INSN_SIZE;

/** The offset of the first map reference from an instruction's offset on; -1 if there is none. */
function nextMapReference(insns: Uint8Array, order: ByteOrder, from: number): number {
  for (let at = from; at + WIDE_SIZE <= insns.length; at += INSN_SIZE) {
    if (insns[at] !== OP.LD_IMM64) continue;
    const src = order === "little" ? insns[at + 1]! >> 4 : insns[at + 1]! & 15;
    if (src === LD_SRC.MAP_FD || src === LD_SRC.MAP_VALUE) return at;
    at += INSN_SIZE;
  }
  return -1;
}
