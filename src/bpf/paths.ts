import { type Flow, MAY_GOTO } from "./analysis/flow.js";
import type { Code } from "./code.js";
import { CALL_SRC, LD_SRC, OP } from "./insn.js";

/** What the shape of a program's control flow says of how far it runs. */
export interface Paths {
  /** Places that control comes back to within one function. */
  readonly loops: number;
  /** Bytes of stack along the deepest chain of calls, each frame rounded up as the verifier rounds it; null with recursion. */
  readonly stackDepth: number | null;
  /**
   * Instructions that one run executes at most, those of helpers, kfuncs and tail-called programs aside; null where nothing
   * that can be told bounds it.
   */
  readonly executed: number | null;
}

/**
 * The verifier follows every path whose loops only branches bound, and stops at this many instructions: no such path is longer
 * (BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h).
 */
const VERIFIED = 1_000_000;
/** check_max_stack_depth of kernel/bpf/verifier.c. */
const FRAME_STEP = 32;
/** optimize_bpf_loop keeps three registers on the stack, may_goto a count and a clock (kernel/bpf/verifier.c). */
const BPF_LOOP = 181;
const INLINED_LOOP = 24;
const INLINED_MAY_GOTO = 16;

/** Walks each function once: its cost grows with the program's size. */
export function pathsOf(code: Code, flow: Flow): Paths {
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
  // a global function is verified by itself, however often it is called
  return code.functions.slice(1).some(({ global }) => global) ? null : VERIFIED;
}

/** Functions in an order in which each comes behind those that it calls; null where one calls itself. */
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

/** One function's blocks, from a leader to the next, in an order in which each comes behind those that it goes to. */
class Walk {
  /** Leaders that a path comes back to. */
  readonly heads = new Set<number>();
  /** Indexes of functions that it calls, or gives away as callbacks. */
  readonly callees: readonly number[];
  /** Whether something other than branches repeats: a callback, a kfunc that iterates, `may_goto`. */
  readonly unbounded: boolean;
  /** Bytes of stack that the verifier adds for what it inlines. */
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

  /** The longest way from its entry to an exit; loops are gone through once. */
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
        const target = this.flow.leaderAt[slot + 1 + insns.imm[slot]!];
        if (target !== undefined && target >= 0) callees.add(this.flow.functionOf[target]!);
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

  /** Tells where a block goes, and what it calls on the way; gives the slot behind its last. */
  #block(leader: number, goes: (from: number, target: number) => void, calls: (callee: number) => void): number {
    const { opcode, off, imm, src } = this.code.insns;
    const { leaders, leaderAt, functionOf } = this.flow;
    const { end } = this.code.functions[this.index]!;
    for (let slot = leaders[leader]!; slot < end; slot++) {
      const op = opcode[slot]!;
      const kind = op & OP.CLASS;
      if (op === OP.EXIT) return slot + 1;
      if (op === OP.CALL) {
        const target = src[slot] === CALL_SRC.SUBPROGRAM ? leaderAt[slot + 1 + imm[slot]!] : -1;
        if (target !== undefined && target >= 0) calls(functionOf[target]!);
      } else if (kind === OP.JMP || kind === OP.JMP32) {
        goes(slot, leaderAt[slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!)]!);
        if (op === OP.JA16 || op === OP.JA32) return slot + 1;
      } else if (op === OP.LD_IMM64) slot += 1;
      const next = leaderAt[slot + 1]!;
      if (slot + 1 < end && next >= 0) {
        goes(slot, next);
        return slot + 1;
      }
    }
    return end;
  }
}
