import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { CALL_SRC, LD_SRC, OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import type { ProgramTypeRow } from "../tables/program-types.js";
import type { Addresses } from "./addresses.js";
import { Calls } from "./calls.js";
import { Context } from "./context.js";
import { type Entry, entryOf } from "./entry.js";
import { KeptPointers } from "./kept-pointers.js";
import { Literals } from "./literals.js";
import { FOREIGN, Maps } from "./maps.js";
import { Memory, rejectedStores } from "./memory.js";
import { Operations } from "./operations.js";
import { rewrittenSlots } from "./rewritten-slots.js";
import { StackBytes } from "./stack-bytes.js";
import { type Flow, functionAt, MAY_GOTO } from "./states/flow.js";
import { Frames } from "./states/frames.js";
import { States } from "./states/states.js";
import { Work } from "./states/work.js";
import { intTag, signsAfter, swappedComparison } from "./values/call-tags.js";
import { outcomeOf, refine } from "./values/comparison.js";
import { ANY_FRAME, ANY_NUMBER, ANY_OFFSET, ANYTHING, KIND } from "./values/kinds.js";
import type { Scratch } from "./values/scratch.js";
import { Values } from "./values/values.js";
import type { VerdictOf } from "./verdict.js";

/**
 * Abstract interpretation: runs a program over abstract values (values.ts) until no state changes. States are joined at
 * leaders, so the work is proportional to the size of the program, not to the number of its paths. States only grow, so
 * every effect that is recorded on the way also holds in the end. A subprogram is analysed once for all its calls.
 */
export class Interpreter {
  readonly #work: Work;
  readonly #values: Values;
  readonly #entry: Entry;
  readonly #frames: Frames;
  readonly #states: States;
  readonly #literals: Literals;
  readonly #operations: Operations;
  readonly #calls: Calls;
  readonly #addresses: Addresses;
  /** False for types whose value goes back to the traced function, as an argument of it often does unchanged. */
  readonly #returnsToUser: boolean;
  readonly #stack: StackBytes;
  /** For each function: its return value, -1 before the first return; and the leaders with calls of it. */
  readonly #returns: Int32Array;
  readonly #callers = new Map<number, Set<number>>();
  /** The frame pointer of each function; -1 before it is entered. */
  readonly #framePointers: Int32Array;
  /** For each function: the leaders that read its frame. */
  readonly #readers = new Map<number, Set<number>>();
  /** For each function: the leaders that call it or pass it as a callback. */
  readonly #lenders = new Map<number, Set<number>>();
  /** Functions whose return value is that of the program: the program itself, and exception callbacks. */
  readonly #final: Uint8Array;
  /** The arguments of the current call of a subprogram. */
  readonly #args = [0, 0, 0, 0, 0];
  /** The same as the called function sees them. */
  readonly #passed = [0, 0, 0, 0, 0];
  #leader = 0;
  #slot = 0;

  constructor(
    readonly code: Code,
    readonly flow: Flow,
    type: ProgramTypeRow,
    readonly verdict: VerdictOf,
    readonly findings: EvidenceCollector,
    scratch: Scratch,
    goesOnAs: (program: string) => boolean,
  ) {
    const { functions, insns, byteOrder } = code;
    const work = new Work(insns.count);
    this.#work = work;
    const values = new Values(insns.count, scratch);
    const maps = new Maps(findings);
    const frames = new Frames(values, functions.length, byteOrder === "big", work, scratch);
    this.#entry = entryOf(code, type, values);
    if (type.context.otherwise === "anything")
      verdict.replaces(this.#entry.context.name === type.context.name ? null : this.#entry.context.name);
    const context = new Context(this.#entry.context, values);
    const kept = new KeptPointers(code, () => maps.shared);
    this.#stack = new StackBytes(code, values, frames, findings);
    this.#stack.onRead = (index) => this.#states.markAll(this.#lenders.get(index));
    const memory = new Memory(values, frames, context, maps, findings, this.#stack, rejectedStores(code), kept);
    this.#addresses = memory.addresses;
    this.#returnsToUser = type.context.otherwise !== "kernel" && type.context.otherwise !== "iterated";
    this.#values = values;
    this.#frames = frames;
    this.#states = new States(code, flow, values, frames, work, scratch);
    const rewritten = rewrittenSlots(code, scratch);
    this.#literals = new Literals(code, values, maps, findings, flow, rewritten, scratch);
    this.#operations = new Operations(code, memory, rewritten);
    this.#calls = new Calls(code, memory, {
      goesOnAs,
      enter: (callback, args) => this.#enterCallback(callback, args),
      leave: (slot, why) => this.#leave(slot, values.any, why),
      // If the program itself makes the tail call, the return value is one of the effects of the other program.
      handOver: (slot) => {
        if (this.#final[frames.function] === 0) this.#leave(slot, values.any, null);
      },
      end: (slot, why) => this.verdict.returned(slot, ANY_NUMBER, ANY_NUMBER, why),
    });
    frames.onWritten = (frame) => this.#frameWritten(frame);
    frames.onRead = (frame) => remember(this.#readers, frame, this.#leader);
    frames.onStored = (frame) => this.#states.markAll(this.#readers.get(frame));
    this.#returns = scratch.takeAny(functions.length).fill(-1);
    this.#framePointers = scratch.takeAny(functions.length).fill(-1);
    this.#final = new Uint8Array(functions.length);
  }

  /** Records every effect of the program. Returns false if the work (work.ts) or the memory exceeds its limit. */
  run(): boolean {
    if (this.#states.tooMany) return false;
    this.#final[0] = 1;
    this.#enter(0, this.#entry.args);
    if (!this.#followAll()) return false;
    if (this.code.functions.length === 1) return true;
    // A function without callers in the program is called by the kernel: an exception callback, with any cookie.
    const called = this.#calledFunctions();
    for (let index = 1; index < this.code.functions.length; index++) {
      if (this.#states.reached(this.flow.entries[index]!) || called?.[index] === 1) continue;
      this.#final[index] = 1;
      const anything = this.#values.pointer(ANYTHING, FOREIGN);
      this.#enter(index, [anything, anything, anything, anything, anything]);
      if (!this.#followAll()) return false;
    }
    return true;
  }

  /**
   * For each function, 1 if instructions of the program refer to it: if it is not reached, all of these are in branches
   * that are never taken. Null if the program may throw, since an exception callback can also be called.
   */
  #calledFunctions(): Uint8Array | null {
    const { opcode, src, imm, count } = this.code.insns;
    const called = new Uint8Array(this.code.functions.length);
    for (let slot = 0; slot < count; slot++) {
      const call = opcode[slot] === OP.CALL;
      if (call && src[slot] === CALL_SRC.KFUNC && (this.code.kfuncAt(slot)?.name ?? THROW) === THROW) return null;
      if (call ? src[slot] === CALL_SRC.SUBPROGRAM : opcode[slot] === OP.LD_IMM64 && src[slot] === LD_SRC.FUNC)
        called[functionAt(this.flow, slot + 1 + imm[slot]!)] = 1;
      if (opcode[slot] === OP.LD_IMM64) slot += 1;
    }
    return called;
  }

  #followAll(): boolean {
    for (let leader = this.#states.next(); leader >= 0; leader = this.#states.next()) {
      // `#follow` adds to the work of frame sets too.
      const { frameSets } = this.#values;
      const before = frameSets.work;
      const followed = this.#follow(leader);
      this.#work.done += followed + frameSets.work - before;
      if (this.#work.exhausted) return false;
    }
    return true;
  }

  /** Follows a path from a leader until it ends or reaches another leader. Returns the number of instructions. */
  #follow(leader: number): number {
    const { opcode, dst, off, imm } = this.code.insns;
    const { leaders, table } = this.flow;
    const { state } = this.#frames;
    this.#leader = leader;
    this.#states.load(leader);
    const first = leaders[leader]!;
    for (let slot = first; ; ) {
      this.#slot = slot;
      const op = opcode[slot]!;
      let next = slot + 1;
      switch (op & OP.CLASS) {
        case OP.ALU:
        case OP.ALU64:
          this.#operations.arithmetic(slot, op);
          break;
        case OP.LDX:
          this.#operations.load(slot, op);
          break;
        case OP.ST:
        case OP.STX:
          this.#operations.store(slot, op);
          break;
        case OP.LD:
          if (op === OP.LD_IMM64) {
            state[dst[slot]!] = this.#literals.load(slot);
            next += 1;
          } else this.#loadPacket(slot);
          break;
        default:
          if (op === OP.CALL) {
            if (!this.#call(slot)) return slot - first + 1;
          } else if (op === OP.EXIT) {
            this.#leave(slot, state[0]!, null);
            return slot - first + 1;
          } else if ((op & OP.CODE) === OP.JA) {
            this.#states.join(table.at(slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!)), slot);
            return slot - first + 1;
          } else if (this.#branch(slot, op, table.at(slot + 1 + off[slot]!))) return slot - first + 1;
      }
      slot = next;
      const met = table.at(slot);
      if (met >= 0) {
        this.#states.join(met, slot - 1);
        return slot - first;
      }
    }
  }

  /**
   * Returns whether the branch is always taken. What a constant decides is known: the kernel's verifier does not look
   * at the other side either (check_cond_jmp_op, kernel/bpf/verifier.c).
   */
  #branch(slot: number, op: number, target: number): boolean {
    const { dst, imm } = this.code.insns;
    const { state } = this.#frames;
    const d = dst[slot]!;
    const before = state[d]!;
    if (op === MAY_GOTO || (op & OP.X) !== 0 || (this.#values.kinds(before) & KIND.NUMBER) === 0) {
      if (op !== MAY_GOTO && (op & OP.X) !== 0 && this.#compareResult(slot, op, target)) return false;
      this.#states.join(target, slot);
      return false;
    }
    const wide = (op & OP.CLASS) === OP.JMP;
    const outcome = outcomeOf(this.#values, before, op & OP.CODE, wide, imm[slot]!);
    if (outcome !== null) {
      if (outcome) this.#states.join(target, slot);
      return outcome;
    }
    const tag = this.#values.tag(before);
    const { written } = this.#frames;
    const set = tag < 0 ? 0 : written.store();
    if (tag >= 0) written.resultHas(tag, signsAfter(tag, op & OP.CODE, wide, imm[slot]!, true));
    state[d] = refine(this.#values, before, op & OP.CODE, wide, imm[slot]!, true);
    this.#states.join(target, slot);
    state[d] = refine(this.#values, before, op & OP.CODE, wide, imm[slot]!, false);
    if (tag < 0) return false;
    written.load(set);
    written.resultHas(tag, signsAfter(tag, op & OP.CODE, wide, imm[slot]!, false));
    return false;
  }

  /** A comparison of the result of a call with a constant in a register. Returns whether it is one. */
  #compareResult(slot: number, op: number, target: number): boolean {
    const { dst, src } = this.code.insns;
    const values = this.#values;
    const { state, written } = this.#frames;
    const [left, right] = [state[dst[slot]!]!, state[src[slot]!]!];
    const swapped = values.tag(left) < 0;
    const [tag, other] = swapped ? [values.tag(right), left] : [values.tag(left), right];
    if (tag < 0 || !values.isConstant(other)) return false;
    const comparison = swapped ? swappedComparison(op & OP.CODE) : op & OP.CODE;
    const wide = (op & OP.CLASS) === OP.JMP;
    if (wide && values.hi(other) !== values.lo(other) >> 31) return false;
    const set = written.store();
    written.resultHas(tag, signsAfter(tag, comparison, wide, values.lo(other), true));
    this.#states.join(target, slot);
    written.load(set);
    written.resultHas(tag, signsAfter(tag, comparison, wide, values.lo(other), false));
    return true;
  }

  /** BPF_ABS and BPF_IND: a load from the packet, which ends the program with 0 if the packet is too short. */
  #loadPacket(slot: number): void {
    this.#leave(slot, this.#values.constant(0), null);
    this.#frames.clobber(0);
  }

  /** Returns false if the call is not known to return yet. */
  #call(slot: number): boolean {
    const { src, imm } = this.code.insns;
    const { state } = this.#frames;
    let returned: number;
    if (src[slot] === CALL_SRC.HELPER) {
      this.findings.helperCalls?.add(slot);
      returned = this.#calls.helper(slot, imm[slot]!);
    } else if (src[slot] === CALL_SRC.KFUNC) returned = this.#calls.kfunc(slot);
    else returned = this.#callFunction(slot);
    if (returned < 0) return false;
    if (this.code.translation?.keeping.has(slot) !== true) this.#frames.clobber(1);
    state[0] = returned;
    return true;
  }

  /** The return value of a subprogram as far as it is known; -1 if it is not known to return. */
  #callFunction(slot: number): number {
    const { state } = this.#frames;
    const callee = functionAt(this.flow, slot + 1 + this.code.insns.imm[slot]!);
    if (callee === -1) {
      this.findings.anything(slot, "calls an address that is not a function of the program");
      return -1;
    }
    remember(this.#callers, callee, this.#leader);
    const { global } = this.code.functions[callee]!;
    const args = this.#args;
    for (let index = 0; index < args.length; index++) {
      const value = state[index + 1]!;
      args[index] = global ? this.#lent(value) : value;
    }
    remember(this.#lenders, callee, this.#leader);
    this.#stack.enter(slot, callee, args);
    this.#enter(callee, args);
    const returned = this.#returns[callee]!;
    if (global) return this.#replaceable(returned);
    const tells = returned >= 0 && this.#stack.left(slot, callee, args);
    return tells ? this.#values.withTag(returned, intTag(slot)) : returned;
  }

  /**
   * An argument of a global function. The kernel verifies such a function separately and lets it write to memory
   * arguments. Linux 6.3 to 6.11 allowed a kernel object as such an argument after checking it only for reads
   * (check_mem_reg, kernel/bpf/verifier.c).
   */
  #lent(value: number): number {
    const values = this.#values;
    return (values.kinds(value) & KIND.OBJECT) === 0 ? value : values.join(value, values.pointer(KIND.KERNEL));
  }

  /**
   * Another program may replace a global function (freplace). It may return any value, and write to the memory that is
   * passed.
   */
  #replaceable(returned: number): number {
    const values = this.#values;
    for (let register = 1; register <= 5; register++) {
      const value = this.#frames.state[register]!;
      if ((values.kinds(value) & KIND.STACK) !== 0) this.#frames.scribble(values.frame(value), values.offset(value));
    }
    return returned < 0 ? values.any : values.join(returned, values.any);
  }

  #enter(index: number, args: readonly number[]): void {
    let framePointer = this.#framePointers[index]!;
    if (framePointer < 0) {
      framePointer = this.#values.pointer(KIND.STACK, 0, 0, index);
      this.#framePointers[index] = framePointer;
    }
    const values = this.#values;
    const passed = this.#passed;
    for (let at = 0; at < passed.length; at++) {
      const value = args[at] ?? values.any;
      passed[at] = value === values.any ? value : values.withParameter(values.detached(value), at + 1, 0);
    }
    this.#states.enter(this.flow.entries[index]!, framePointer, passed);
  }

  #enterCallback(callback: number, args: readonly number[]): void {
    const values = this.#values;
    if ((values.kinds(callback) & KIND.FUNCTION) === 0) {
      this.findings.anything(this.#slot, "passes an unknown callback");
      return;
    }
    const index = values.offset(callback);
    const every = index === ANY_OFFSET;
    const end = every ? this.code.functions.length : index + 1;
    for (let each = every ? 1 : index; each < end; each++) {
      remember(this.#lenders, each, this.#leader);
      this.#stack.enter(this.#slot, each, args);
      this.#enter(each, args);
    }
  }

  /** The current function returns this value. */
  #leave(slot: number, value: number, why: string | null): void {
    const { function: index } = this.#frames;
    if (this.#final[index] !== 0) {
      this.verdict.returned(slot, this.#values.set(value), this.#values.highSet(value), why);
      if (this.#returnsToUser) this.#addresses.returned(slot, value);
    }
    const fewer = index > 0 && this.#stack.leave(index, value);
    const before = this.#returns[index]!;
    const detached = this.#values.detached(value);
    const joined = before < 0 ? detached : this.#values.join(before, detached);
    if (joined === before && !fewer) return;
    this.#returns[index] = joined;
    this.#states.markAll(this.#callers.get(index));
  }

  /** A function's frame was written by another function: every reader of the frame is followed again. */
  #frameWritten(frame: number): void {
    const { entries, leaders } = this.flow;
    if (frame === ANY_FRAME) this.#states.markReached(0, leaders.length);
    else {
      this.#states.markReached(entries[frame]!, entries[frame + 1] ?? leaders.length);
      this.#states.markAll(this.#readers.get(frame));
    }
  }
}

/** The kfunc that has the kernel call the exception callback. */
const THROW = "bpf_throw";

function remember(sets: Map<number, Set<number>>, key: number, leader: number): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([leader]));
  else known.add(leader);
}
