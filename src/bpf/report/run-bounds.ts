import { type Flow, MAY_GOTO } from "../analysis/states/flow.js";
import { CALL_SRC, LD_SRC, OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";

/** Bounds for a run of a program that follow from its control flow. */
export interface RunBounds {
  /** Number of loop heads: places in a function that control returns to. */
  readonly loops: number;
  /**
   * Bytes of stack along the deepest chain of calls. Each frame is rounded up as the verifier does. Null if recursive.
   */
  readonly stackDepth: number | null;
  /**
   * Maximum number of instructions of one run, without those of helpers, kfuncs and tail-called programs; null if no
   * bound is known.
   */
  readonly executed: number | null;
}

/**
 * The verifier follows every path through loops that only branches bound. It rejects a program once it has processed
 * this many instructions, so no such path is longer (BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h).
 */
const VERIFIED = 1_000_000;
/** Granularity of stack frames in bytes (check_max_stack_depth, kernel/bpf/verifier.c). */
const FRAME_STEP = 32;
/**
 * Stack bytes of code that the verifier inlines (kernel/bpf/verifier.c): optimize_bpf_loop saves three registers,
 * may_goto keeps a count and a timestamp.
 */
const BPF_LOOP = 181;
const INLINED_LOOP = 24;
const INLINED_MAY_GOTO = 16;

/** Calculates the bounds. Each function is walked once, so the time grows with the size of the program. */
export function runBoundsOf(code: Code, flow: Flow): RunBounds {
  const functions = code.functions.map((_, index) => new Walk(code, flow, index));
  const loops = functions.reduce((sum, { heads }) => sum + heads.size, 0);
  const order = calleesFirst(functions);
  if (order === null) return { loops, stackDepth: null, executed: null };
  const depth: number[] = [];
  const longest: number[] = [];
  for (const index of order) {
    const walk = functions[index]!;
    const called = walk.callees.map((callee) => depth[callee]!);
    const frame = flow.frames[index]! * 8 + walk.extra;
    depth[index] = FRAME_STEP * Math.max(1, Math.ceil(frame / FRAME_STEP)) + Math.max(0, ...called);
    longest[index] = walk.longest(longest);
  }
  return { loops, stackDepth: depth[0]!, executed: executed(code, functions, loops, longest[0]!) };
}

function executed(code: Code, functions: readonly Walk[], loops: number, longest: number): number | null {
  if (functions.some((walk) => walk.unbounded) || !Number.isSafeInteger(longest)) return null;
  if (loops === 0) return longest;
  // The verifier checks a global function once, however often it is called.
  return code.functions.slice(1).some(({ global }) => global) ? null : VERIFIED;
}

/** Indexes of functions in an order in which callees precede callers; null if there is recursion. */
function calleesFirst(functions: readonly Walk[]): number[] | null {
  const order: number[] = [];
  const state = new Uint8Array(functions.length);
  for (let root = 0; root < functions.length; root++) {
    if (state[root] !== 0) continue;
    const stack = [{ index: root, next: 0 }];
    state[root] = OPEN;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const callee = functions[top.index]!.callees[top.next++];
      if (callee === undefined) {
        state[top.index] = DONE;
        order.push(top.index);
        stack.pop();
      } else if (state[callee] === OPEN) return null;
      else if (state[callee] === 0) {
        state[callee] = OPEN;
        stack.push({ index: callee, next: 0 });
      }
    }
  }
  return order;
}

const OPEN = 1;
const DONE = 2;

/** The basic blocks of one function, in an order in which each follows its successors. */
class Walk {
  /** Leaders of blocks that a path returns to. */
  readonly heads = new Set<number>();
  /** Indexes of functions that it calls or passes as callbacks. */
  readonly callees: readonly number[];
  /** Whether something other than branches can repeat code: a callback, an iterator kfunc, `may_goto`. */
  readonly unbounded: boolean;
  /** Stack bytes that the verifier adds for inlined code. */
  extra = 0;
  readonly #order: number[] = [];

  constructor(
    readonly code: Code,
    readonly flow: Flow,
    readonly index: number,
  ) {
    const callees = new Set<number>();
    this.unbounded = this.#survey(callees);
    this.callees = [...callees];
    this.#sort();
  }

  /** Length of the longest path from its entry to an exit. Each loop is passed once. */
  longest(functions: readonly number[]): number {
    const { leaders, entries } = this.flow;
    const costs = new Map<number, number>();
    for (const leader of this.#order) {
      let most = 0;
      const start = leaders[leader]!;
      let calls = 0;
      const end = this.#block(
        leader,
        (slot, target) => {
          most = Math.max(most, slot - start + 1 + calls + (costs.get(target) ?? 0));
        },
        (callee) => {
          calls += functions[callee] ?? 0;
        },
      );
      costs.set(leader, Math.max(most, end - start + calls));
    }
    return costs.get(entries[this.index]!) ?? 0;
  }

  #survey(callees: Set<number>): boolean {
    const { insns } = this.code;
    const { start, end } = this.code.functions[this.index]!;
    let unbounded = false;
    for (let slot = start; slot < end; slot++) {
      const opcode = insns.opcode[slot]!;
      if (opcode === MAY_GOTO) {
        unbounded = true;
        this.extra = Math.max(this.extra, INLINED_MAY_GOTO);
      }
      if (opcode === OP.CALL && insns.src[slot] === CALL_SRC.HELPER && insns.imm[slot] === BPF_LOOP)
        this.extra = Math.max(this.extra, INLINED_LOOP);
      if (opcode === OP.CALL && insns.src[slot] === CALL_SRC.KFUNC) {
        const name = this.code.kfuncAt(slot)?.name;
        if (name === undefined || /^bpf_iter_\w+_next$/.test(name)) unbounded = true;
      }
      const callback = opcode === OP.LD_IMM64 && insns.src[slot] === LD_SRC.FUNC;
      if (callback) unbounded = true;
      if (callback || (opcode === OP.CALL && insns.src[slot] === CALL_SRC.SUBPROGRAM)) {
        const target = this.flow.table.at(slot + 1 + insns.imm[slot]!);
        if (target >= 0) callees.add(this.flow.functionOf[target]!);
      }
      if (opcode === OP.LD_IMM64) slot += 1;
    }
    return unbounded;
  }

  #sort(): void {
    const state = new Map<number, number>();
    const stack: { leader: number; readonly targets: readonly number[]; next: number }[] = [];
    const open = (leader: number) => {
      const targets: number[] = [];
      this.#block(
        leader,
        (_, target) => targets.push(target),
        () => {},
      );
      state.set(leader, OPEN);
      stack.push({ leader, targets, next: 0 });
    };
    open(this.flow.entries[this.index]!);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const target = top.targets[top.next++];
      if (target === undefined) {
        state.set(top.leader, DONE);
        this.#order.push(top.leader);
        stack.pop();
      } else if (state.get(target) === OPEN) this.heads.add(target);
      else if (!state.has(target)) open(target);
    }
  }

  /** Reports the successors and calls of a block; returns the slot after its last instruction. */
  #block(leader: number, goes: (from: number, target: number) => void, calls: (callee: number) => void): number {
    const { opcode, off, imm, src } = this.code.insns;
    const { leaders, table, functionOf } = this.flow;
    const { end } = this.code.functions[this.index]!;
    for (let slot = leaders[leader]!; slot < end; slot++) {
      const op = opcode[slot]!;
      const kind = op & OP.CLASS;
      if (op === OP.EXIT) return slot + 1;
      if (op === OP.CALL) {
        const target = src[slot] === CALL_SRC.SUBPROGRAM ? table.at(slot + 1 + imm[slot]!) : -1;
        if (target >= 0) calls(functionOf[target]!);
      } else if (kind === OP.JMP || kind === OP.JMP32) {
        goes(slot, table.at(slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!)));
        if (op === OP.JA16 || op === OP.JA32) return slot + 1;
      } else if (op === OP.LD_IMM64) slot += 1;
      const next = table.at(slot + 1);
      if (slot + 1 < end && next >= 0) {
        goes(slot, next);
        return slot + 1;
      }
    }
    return end;
  }
}
