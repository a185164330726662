import { CALL_SRC, firstWide, MAX_FUNCTIONS, OP } from "../../insn/insn.js";
import type { Code } from "../../model/code.js";
import { Scratch } from "../values/scratch.js";
import { LeaderTable } from "./leader-table.js";

/** BPF_JCOND of include/uapi/linux/bpf.h (`may_goto`): continues, or jumps when the kernel ends the loop. */
export const MAY_GOTO = 0xe5;

/**
 * The control flow of a program: the slots at which paths meet ("leaders": entries of functions and targets of jumps),
 * and the part of its stack frame that each function uses. Between two leaders control runs straight on, except for
 * branches out.
 */
export interface Flow {
  /** Slots of the leaders, ascending. */
  readonly leaders: Int32Array;
  /** Number of the leader at a slot. */
  readonly table: LeaderTable;
  /** Index of each leader's function. */
  readonly functionOf: Int32Array;
  /** Number of the leader at each function's entry. */
  readonly entries: Int32Array;
  /** Number of 8-byte slots of each function's frame, counted from the top, that it addresses by constants. */
  readonly frames: Int32Array;
}

/** A program that no kernel would accept, so that nothing can be concluded about it. */
export interface Broken {
  readonly slot: number;
  readonly because: string;
}

const FRAME_POINTER = 10;
/** MAX_BPF_STACK (include/linux/filter.h) in slots of 8 bytes. */
export const FRAME_SLOTS = 64;
/**
 * In place of BPF_REG_AX of include/linux/filter.h, in which the verifier keeps numbers within what it inserts: only
 * translated programs have it, and none across what it does not insert. Its value is behind those of a leader's state.
 */
export const AUXILIARY = 76;

/** Reads the control flow. Checks registers, jumps and calls as kernel/bpf/verifier.c does before it follows them. */
export function flowOf(code: Code, scratch = new Scratch()): Flow | Broken {
  const { insns, functions } = code;
  const { count, opcode, dst, src, off, imm } = insns;
  const table = new LeaderTable(count, scratch);
  const frames = scratch.take(functions.length);
  if (functions.length > MAX_FUNCTIONS)
    return {
      slot: functions[MAX_FUNCTIONS]!.start,
      because: `begins one more function than the kernel's limit of ${MAX_FUNCTIONS}`,
    };
  let expected = 0;
  for (const { start, end } of functions) {
    if (start !== expected || end <= start || end > count)
      return { slot: Math.min(start, count - 1), because: "its functions do not cover it" };
    expected = end;
    table.add(start);
  }
  if (expected !== count) return { slot: 0, because: "its functions do not cover it" };

  for (let index = 0; index < functions.length; index++) {
    const { start, end } = functions[index]!;
    let deepest = 0;
    for (let slot = start; slot < end; slot++) {
      const op = opcode[slot]!;
      const kind = op & OP.CLASS;
      if (isUnknown(dst[slot]!) || isUnknown(src[slot]!))
        return { slot, because: "names a register that does not exist" };
      if (kind === OP.JMP || kind === OP.JMP32) {
        const operation = op & OP.CODE;
        if (operation === OP.EXIT_CODE) {
          if (op !== OP.EXIT) return unknown(slot);
        } else if (operation === OP.CALL_CODE) {
          if (op !== OP.CALL || src[slot]! > CALL_SRC.KFUNC) return unknown(slot);
        } else {
          if (operation === OP.JA ? op !== OP.JA16 && op !== OP.JA32 : operation > LAST_COMPARISON && op !== MAY_GOTO)
            return unknown(slot);
          const target = slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!);
          if (target < start || target >= end) return { slot, because: "jumps out of its function" };
          table.add(target);
        }
      } else if (op === OP.LD_IMM64) {
        if (slot + 1 >= end || opcode[slot + 1] !== 0) return { slot, because: "is an incomplete ld_imm64" };
        if (dst[slot] === FRAME_POINTER) return { slot, because: "writes the frame pointer" };
        slot += 1;
      } else {
        const stores = kind === OP.STX || kind === OP.ST;
        if (dst[slot] === FRAME_POINTER && !stores && kind !== OP.LD)
          return { slot, because: "writes the frame pointer" };
        // The depth of the frame: from offsets of r10, and from constants that may be added to a copy of it.
        let reach = 0;
        if (stores) {
          if (dst[slot] === FRAME_POINTER) reach = off[slot]!;
        } else if (kind === OP.LDX) {
          if (src[slot] === FRAME_POINTER) reach = off[slot]!;
        } else if (op === ADD_CONSTANT) reach = imm[slot]!;
        if (reach < deepest && reach >= -8 * FRAME_SLOTS) deepest = reach;
      }
    }
    frames[index] = (7 - deepest) >> 3;
    const last = opcode[end - 1]!;
    if (last !== OP.EXIT && last !== OP.JA16 && last !== OP.JA32)
      return { slot: end - 1, because: "runs past the end of its function" };
  }

  const leaders = scratch.takeAny(table.count);
  table.number(leaders);
  const functionOf = scratch.takeAny(leaders.length);
  const entries = scratch.takeAny(functions.length);
  for (let index = 0, next = 0; index < functions.length; index++) {
    const { end } = functions[index]!;
    entries[index] = next;
    while (next < leaders.length && leaders[next]! < end) functionOf[next++] = index;
  }
  for (let slot = firstWide(insns); slot + 1 < count; slot++)
    if (opcode[slot] === OP.LD_IMM64 && table.at(++slot) !== -1)
      return { slot, because: "is jumped to in the middle of an ld_imm64" };
  return { leaders, table, functionOf, entries, frames };
}

/** Index of the function that starts at a slot; -1 if none does. */
export function functionAt({ table, functionOf, entries }: Flow, slot: number): number {
  const leader = table.at(slot);
  if (leader < 0) return -1;
  const index = functionOf[leader]!;
  return entries[index] === leader ? index : -1;
}

function isUnknown(register: number): boolean {
  return register > FRAME_POINTER && register !== AUXILIARY;
}

/** BPF_JSLE, the last comparison. */
const LAST_COMPARISON = 0xd0;
/** r += constant, in 64 bits. */
const ADD_CONSTANT = 0x07;

function unknown(slot: number): Broken {
  return { slot, because: "is an unknown instruction" };
}
