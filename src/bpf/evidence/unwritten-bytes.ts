import { CALL_SRC } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { HELPER_ROWS } from "../tables/helpers.js";

/** Bytes of a function's frame that a program reads although they are not surely written. */
export interface UnwrittenBytes {
  /** Offset of the first byte from the end of the frame, and number of bytes. */
  readonly offset: number;
  readonly size: number;
  /** Slot of the call that may not have filled them, or -1. */
  readonly call: number;
  /** Whether some instruction of the function stores to them. */
  readonly stored: boolean;
  /** Whether the bytes before and after them are written, and are read too. */
  readonly between: boolean;
}

/** A gap of at most so many bytes between written ones is padding. */
const MOST_PADDING = 7;

/** What reads the bytes, such as `reads`, and why they may hold what the kernel left there. */
export function describeUnwritten(code: Code, how: string, bytes: UnwrittenBytes): string {
  const { offset, size, call, stored, between } = bytes;
  const names = size === 1 ? `byte ${offset}` : `bytes ${offset} to ${offset + size - 1}`;
  if (call >= 0)
    return `${how} ${names} of its stack, which \`${nameOfCall(code, call)}\` at ${call} may not have filled`;
  if (stored) return `${how} ${names} of its stack, which it does not write on every path`;
  const padding = between && size <= MOST_PADDING;
  return `${how} ${names} of its stack, which nothing wrote${padding ? PADDING : ""}`;
}

const PADDING = " (padding: clear the whole structure before its fields are set)";

/** The name of what the call in a slot calls. */
function nameOfCall(code: Code, slot: number): string {
  const { src, imm } = code.insns;
  if (src[slot] === CALL_SRC.HELPER) return `bpf_${HELPER_ROWS[imm[slot]!]?.name ?? imm[slot]}`;
  if (src[slot] === CALL_SRC.KFUNC) return code.kfuncAt(slot)?.name ?? "a kfunc";
  const start = slot + 1 + imm[slot]!;
  return code.functions.find((each) => each.start === start)?.name ?? "a function";
}
