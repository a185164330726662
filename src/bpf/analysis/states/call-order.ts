import { CALL_SRC, LD_SRC, OP } from "../../insn/insn.js";
import type { Code } from "../../model/code.js";
import { type Flow, functionAt } from "./flow.js";

/**
 * The order in which waiting leaders are followed: those of a function after those of all functions that it refers to,
 * and within a function by slot. So what several callees change makes their caller be followed once more, and not once
 * for each callee. In a recursion, which the kernel rejects, any order is right.
 */
export class CallOrder {
  /** Of each function, in the order of `#functions`, the place of its first leader; then the number of leaders. */
  readonly #starts: Int32Array;
  /** The functions, callees first, and the position of each one in that order. */
  readonly #functions: Int32Array;
  readonly #positions: Int32Array;

  constructor(
    code: Code,
    readonly flow: Flow,
  ) {
    const count = code.functions.length;
    this.#functions = calleesFirst(code, flow);
    this.#positions = new Int32Array(count);
    this.#starts = new Int32Array(count + 1);
    for (let position = 0; position < count; position++) {
      const each = this.#functions[position]!;
      this.#positions[each] = position;
      const end = each + 1 < count ? flow.entries[each + 1]! : flow.leaders.length;
      this.#starts[position + 1] = this.#starts[position]! + end - flow.entries[each]!;
    }
  }

  /** The place of a leader in the order. */
  placeOf(leader: number): number {
    const { functionOf, entries } = this.flow;
    const index = functionOf[leader]!;
    return this.#starts[this.#positions[index]!]! + leader - entries[index]!;
  }

  /** The leader at a place. */
  leaderAt(place: number): number {
    const starts = this.#starts;
    let position = 0;
    for (let end = this.#functions.length; end - position > 1; ) {
      const middle = (position + end) >> 1;
      if (starts[middle]! <= place) position = middle;
      else end = middle;
    }
    return this.flow.entries[this.#functions[position]!]! + place - starts[position]!;
  }
}

/** All functions: each after those that it calls or passes as callbacks. */
function calleesFirst(code: Code, flow: Flow): Int32Array {
  const { functions, insns } = code;
  const { opcode, src, imm } = insns;
  const order = new Int32Array(functions.length);
  if (functions.length === 1) return order;
  const seen = new Uint8Array(functions.length);
  let placed = 0;
  const place = (index: number) => {
    seen[index] = 1;
    const { start, end } = functions[index]!;
    for (let slot = start; slot < end; slot++) {
      const op = opcode[slot];
      const wide = op === OP.LD_IMM64;
      if (wide ? src[slot] === LD_SRC.FUNC : op === OP.CALL && src[slot] === CALL_SRC.SUBPROGRAM) {
        const callee = functionAt(flow, slot + 1 + imm[slot]!);
        if (callee >= 0 && seen[callee] === 0) place(callee);
      }
      if (wide) slot += 1;
    }
    order[placed++] = index;
  };
  for (let index = 0; index < functions.length; index++) if (seen[index] === 0) place(index);
  return order;
}
