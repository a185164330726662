import { createHash } from "node:crypto";

/** GUARD_CANARY_VALUE of interface.h. */
export const CANARY_VALUE = 0x0c0a4a47;

/** The canary's instructions, a socket filter: `r0 = CANARY_VALUE; exit`. */
export function canaryInsns(): Buffer {
  // BPF_ALU64 | BPF_MOV | BPF_K, then BPF_JMP | BPF_EXIT
  const insns = Buffer.from("b7000000000000009500000000000000", "hex");
  insns.writeUInt32LE(CANARY_VALUE, 4);
  return insns;
}

/** SHA-256 of the canary's instructions, in lower-case hex. No list has it. */
export const CANARY_DIGEST: string = createHash("sha256").update(canaryInsns()).digest("hex");
