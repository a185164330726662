import { CALL_SRC, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import { coreError } from "./core-error.js";
import type { UnrelocatedProgram } from "./unrelocated.js";

/** A program whose functions are in another order. */
export interface Reordered {
  readonly insns: Uint8Array;
  /** The new slot of each slot. */
  readonly slots: Uint32Array;
}

interface Call {
  readonly slot: number;
  /** Index of the function that it calls, or whose address it takes. */
  readonly to: number;
}

/**
 * Puts the functions of a program into the order of cilium/ebpf (flattenInstructions): those that the program refers to
 * by name, then those that these refer to, and so on. Null if that is the order that they have. Throws CORE_UNSUPPORTED
 * for a function to which no instruction refers.
 */
export function inCiliumOrder(program: UnrelocatedProgram, little: boolean): Reordered | null {
  const { functions, insns } = program;
  if (functions.length < 3) return null;
  const count = insns.length / INSN_SIZE;
  const end = (index: number) => functions[index + 1]?.start ?? count;
  const calls = callsOf(program, little);
  const named = namesByCaller(program, calls);
  const order = [0];
  const placed = new Set(order);
  for (const caller of order) {
    for (const [, to] of [...named[caller]!].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
      if (!placed.has(to)) {
        placed.add(to);
        order.push(to);
      }
  }
  if (order.length !== functions.length)
    throw coreError("CORE_UNSUPPORTED", "cilium/ebpf loads no function that no instruction refers to");
  if (order.every((of, index) => of === index)) return null;
  const slots = new Uint32Array(count);
  let next = 0;
  for (const of of order) for (let slot = functions[of]!.start; slot < end(of); slot++) slots[slot] = next++;
  return { insns: moved(insns, slots, calls, functions, little), slots };
}

/** The functions that each function refers to, by name. */
function namesByCaller({ functions }: UnrelocatedProgram, calls: readonly Call[]): readonly Map<string, number>[] {
  const found = functions.map(() => new Map<string, number>());
  let caller = 0;
  for (const { slot, to } of calls) {
    while (slot >= (functions[caller + 1]?.start ?? Number.POSITIVE_INFINITY)) caller += 1;
    found[caller]!.set(functions[to]!.name, to);
  }
  return found;
}

function moved(
  insns: Uint8Array,
  slots: Uint32Array,
  calls: readonly Call[],
  functions: UnrelocatedProgram["functions"],
  little: boolean,
): Uint8Array {
  const result = new Uint8Array(insns.length);
  for (const [slot, to] of slots.entries())
    result.set(insns.subarray(slot * INSN_SIZE, (slot + 1) * INSN_SIZE), to * INSN_SIZE);
  const view = new DataView(result.buffer);
  for (const { slot, to } of calls)
    view.setInt32(slots[slot]! * INSN_SIZE + 4, slots[functions[to]!.start]! - slots[slot]! - 1, little);
  return result;
}

/** The calls of subprograms and the loads of callbacks' addresses, whose immediates count slots from the next slot. */
function callsOf({ insns, functions }: UnrelocatedProgram, little: boolean): readonly Call[] {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.length);
  const indexes = new Map(functions.map(({ start }, index) => [start, index]));
  const calls: Call[] = [];
  for (let slot = 0, at = 0; at < insns.length; slot++, at += INSN_SIZE) {
    const opcode = insns[at]!;
    const src = little ? insns[at + 1]! >> 4 : insns[at + 1]! & 15;
    const isCall = opcode === OP.CALL && src === CALL_SRC.SUBPROGRAM;
    if (isCall || (opcode === OP.LD_IMM64 && src === LD_SRC.FUNC)) {
      const to = indexes.get(slot + 1 + view.getInt32(at + 4, little));
      if (to === undefined)
        throw coreError("CORE_MALFORMED", "calls what is not a function").within(`instruction ${slot}`);
      calls.push({ slot, to });
    }
    if (opcode === OP.LD_IMM64) {
      slot += 1;
      at += INSN_SIZE;
    }
  }
  return calls;
}
