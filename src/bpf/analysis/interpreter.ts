import type { Code } from "../code.js";
import type { Findings } from "../findings.js";
import { CALL_SRC, LD_SRC, OP } from "../insn.js";
import type { ProgramTypeRow } from "../tables/program-types.js";
import { ALU, compute, extend, truncate } from "./arithmetic.js";
import { Calls } from "./calls.js";
import { refine } from "./comparison.js";
import { Context } from "./context.js";
import { type Flow, MAY_GOTO } from "./flow.js";
import { FIRST_SLOT, Frames } from "./frames.js";
import { ANY_FRAME, ANY_OFFSET, ANYTHING, KIND, POINTERS } from "./kinds.js";
import { FOREIGN, Maps } from "./maps.js";
import { Memory } from "./memory.js";
import { Values } from "./values.js";
import type { VerdictOf } from "./verdict.js";

const FRAME_POINTER = 10;
/** States are kept for each leader, at most this many words of them: 96 MiB. */
const MOST_STATES = 24 << 20;
/** How often each instruction may be looked at on average, and how often any program may look at some. */
const VISITS_EACH = 8;
const VISITS_ANY = 1_500_000;
/** After so many turns of a loop, numbers that still grow are any number. */
const TURNS = 4;

/**
 * Runs a program over abstract values (values.ts) until nothing changes. States meet at leaders and are joined there, so the
 * work is in proportion to the program, not to its paths; what is noted on the way holds in the end too, as states only grow.
 * A subprogram is looked at once for all its calls.
 */
export class Interpreter {
  readonly #values: Values;
  readonly #maps: Maps;
  readonly #frames: Frames;
  readonly #memory: Memory;
  readonly #calls: Calls;
  /** One state for each leader, from `#base` on. */
  #states: Int32Array;
  readonly #base: Int32Array;
  readonly #reached: Uint8Array;
  readonly #dirty: Uint8Array;
  /** By leader: how often a jump backwards brought something new. */
  readonly #turns: Uint8Array;
  #lowest = 0;
  /** By function: what it returns, -1 while no return has been seen; and the leaders that wait for it. */
  readonly #returns: Int32Array;
  readonly #callers = new Map<number, Set<number>>();
  /** By function: the leaders that read its frame. */
  readonly #readers = new Map<number, Set<number>>();
  /** The functions whose return value is the program's: the program itself and what ends it by an exception. */
  readonly #final: Uint8Array;
  readonly #functionAt = new Map<number, number>();
  /** By slot of an `ld_imm64`: what it loads. */
  readonly #wide: Int32Array;
  readonly #rewritten: Uint8Array;
  #leader = 0;
  #slot = 0;

  constructor(
    readonly code: Code,
    readonly flow: Flow,
    type: ProgramTypeRow,
    readonly verdict: VerdictOf,
    readonly findings: Findings,
  ) {
    const functions = code.functions.length;
    this.#values = new Values(code.insns.count);
    this.#maps = new Maps(code);
    this.#frames = new Frames(this.#values, functions, code.byteOrder === "big");
    this.#memory = new Memory(
      this.#values,
      this.#frames,
      new Context(type.context, this.#values),
      this.#maps,
      findings,
    );
    this.#calls = new Calls(code, this.#memory, {
      enter: (callback, args) => this.#enterCallback(callback, args),
      leave: (slot, why) => this.#leave(slot, this.#values.any, why),
    });
    this.#frames.onWritten = (frame) => this.#frameWritten(frame);
    this.#frames.onRead = (frame) => remember(this.#readers, frame, this.#leader);
    this.#frames.onStored = (frame) => this.#mark(this.#readers.get(frame));
    for (const [index, { start }] of code.functions.entries()) this.#functionAt.set(start, index);
    const leaders = flow.leaders.length;
    this.#base = new Int32Array(leaders + 1);
    for (let leader = 0; leader < leaders; leader++)
      this.#base[leader + 1] = this.#base[leader]! + FIRST_SLOT + flow.frames[flow.functionOf[leader]!]!;
    this.#states = new Int32Array(Math.min(this.#base[leaders]!, MOST_STATES + 1));
    this.#reached = new Uint8Array(leaders);
    this.#dirty = new Uint8Array(leaders);
    this.#turns = new Uint8Array(leaders);
    this.#returns = new Int32Array(functions).fill(-1);
    this.#final = new Uint8Array(functions);
    this.#wide = new Int32Array(code.insns.count);
    this.#rewritten = new Uint8Array(code.insns.count);
    for (const slot of code.rewrittenSlots()) if (slot < this.#rewritten.length) this.#rewritten[slot] = 1;
  }

  /** Notes all that the program may do. False where it was too much to look at. */
  run(): boolean {
    if (this.#states.length > MOST_STATES) return false;
    const { insns } = this.code;
    for (let slot = 0; slot < insns.count; slot++)
      if (insns.opcode[slot] === OP.LD_IMM64) this.#wide[slot] = this.#loadWide(slot);
    this.#final[0] = 1;
    this.#enter(0, [this.#values.pointer(KIND.CTX, 0, 0)]);
    if (!this.#settle()) return false;
    // what nobody calls is called by the kernel alone: the callback of an exception, with what it was thrown
    for (let index = 1; index < this.code.functions.length; index++) {
      if (this.#reached[this.flow.entries[index]!] !== 0) continue;
      this.#final[index] = 1;
      const anything = this.#values.pointer(ANYTHING, FOREIGN);
      this.#enter(index, [anything, anything, anything, anything, anything]);
      if (!this.#settle()) return false;
    }
    return true;
  }

  #settle(): boolean {
    const leaders = this.flow.leaders.length;
    let left = VISITS_ANY + VISITS_EACH * this.code.insns.count;
    for (;;) {
      while (this.#lowest < leaders && this.#dirty[this.#lowest] === 0) this.#lowest += 1;
      if (this.#lowest === leaders) return true;
      const leader = this.#lowest;
      this.#dirty[leader] = 0;
      left -= this.#follow(leader);
      if (left < 0) return false;
    }
  }

  /** Runs from a leader to where its path ends or meets another leader. Gives the number of instructions looked at. */
  #follow(leader: number): number {
    const { insns } = this.code;
    const { opcode, dst, src, off, imm } = insns;
    const { leaders, leaderAt } = this.flow;
    const values = this.#values;
    const state = this.#frames.state;
    this.#load(leader);
    const first = leaders[leader]!;
    for (let slot = first; ; ) {
      this.#slot = slot;
      const op = opcode[slot]!;
      const d = dst[slot]!;
      let next = slot + 1;
      switch (op & OP.CLASS) {
        case OP.ALU:
        case OP.ALU64:
          state[d] = this.#arithmetic(slot, op);
          break;
        case OP.LDX:
          state[d] = this.#loadRegister(slot, op);
          break;
        case OP.ST:
        case OP.STX:
          if ((op & OP.MODE) === OP.ATOMIC) this.#atomic(slot, op);
          else {
            const value =
              (op & OP.CLASS) === OP.STX
                ? state[src[slot]!]!
                : this.#rewritten[slot]
                  ? values.any
                  : values.constant(imm[slot]!);
            this.#memory.store(slot, state[d]!, this.#distance(slot), sizeOf(op), value);
          }
          break;
        case OP.LD:
          if (op === OP.LD_IMM64) {
            state[d] = this.#wide[slot]!;
            if (src[slot] === LD_SRC.BTF_ID) this.#noteSymbol(slot);
            next += 1;
          } else this.#loadPacket(slot);
          break;
        default: {
          const operation = op & OP.CODE;
          if (op === OP.CALL) {
            if (!this.#call(slot)) return slot - first + 1;
          } else if (op === OP.EXIT) {
            this.#leave(slot, state[0]!, null);
            return slot - first + 1;
          } else if (operation === OP.JA) {
            this.#flowTo(leaderAt[slot + 1 + (op === OP.JA32 ? imm[slot]! : off[slot]!)]!, slot);
            return slot - first + 1;
          } else this.#branch(slot, op, leaderAt[slot + 1 + off[slot]!]!);
        }
      }
      slot = next;
      const met = leaderAt[slot]!;
      if (met >= 0) {
        this.#flowTo(met, slot - 1);
        return slot - first;
      }
    }
  }

  #load(leader: number): void {
    const frames = this.#frames;
    const base = this.#base[leader]!;
    this.#leader = leader;
    frames.function = this.flow.functionOf[leader]!;
    frames.followed = this.flow.frames[frames.function]!;
    const size = this.#base[leader + 1]! - base;
    const { state } = frames;
    const states = this.#states;
    for (let index = 0; index < size; index++) state[index] = states[base + index]!;
  }

  /** Joins the state at hand into a leader's. */
  #flowTo(leader: number, from: number): void {
    const base = this.#base[leader]!;
    const size = this.#base[leader + 1]! - base;
    const { state } = this.#frames;
    const states = this.#states;
    const values = this.#values;
    let changed = this.#reached[leader] === 0;
    if (changed) {
      for (let index = 0; index < size; index++) states[base + index] = state[index]!;
      this.#reached[leader] = 1;
    } else {
      // not every jump backwards makes a loop: those that come again and again with something new do
      const tired = this.flow.leaders[leader]! <= from && this.#turns[leader]! >= TURNS;
      for (let index = 0; index < size; index++) {
        const before = states[base + index]!;
        const now = state[index]!;
        if (before === now) continue;
        const joined = tired ? values.widen(before, now) : values.join(before, now);
        if (joined === before) continue;
        states[base + index] = joined;
        changed = true;
      }
      if (changed && !tired && this.flow.leaders[leader]! <= from) this.#turns[leader]! += 1;
    }
    if (changed) this.#markOne(leader);
  }

  #markOne(leader: number): void {
    this.#dirty[leader] = 1;
    if (leader < this.#lowest) this.#lowest = leader;
  }

  #mark(leaders: Iterable<number> | undefined): void {
    if (leaders !== undefined) for (const leader of leaders) this.#markOne(leader);
  }

  #frameWritten(frame: number): void {
    const { entries, leaders } = this.flow;
    const from = frame === ANY_FRAME ? 0 : entries[frame]!;
    const to = frame === ANY_FRAME ? leaders.length : (entries[frame + 1] ?? leaders.length);
    for (let leader = from; leader < to; leader++) if (this.#reached[leader] !== 0) this.#markOne(leader);
    if (frame !== ANY_FRAME) this.#mark(this.#readers.get(frame));
  }

  #distance(slot: number): number {
    return this.#rewritten[slot] === 0 ? this.code.insns.off[slot]! : ANY_OFFSET;
  }

  #arithmetic(slot: number, op: number): number {
    const { insns } = this.code;
    const values = this.#values;
    const state = this.#frames.state;
    const wide = (op & OP.CLASS) === OP.ALU64;
    const operation = op & OP.CODE;
    const off = insns.off[slot]!;
    const right =
      (op & OP.X) !== 0
        ? state[insns.src[slot]!]!
        : this.#rewritten[slot] !== 0
          ? values.any
          : values.constant(insns.imm[slot]!);
    if (operation === ALU.MOV) {
      if (off === 0) return wide ? right : truncate(values, right);
      if (off === 1 && wide) return values.pointer(KIND.ARENA | KIND.NUMBER, this.#maps.arenas || FOREIGN);
      return extend(values, right, off, wide);
    }
    const left = state[insns.dst[slot]!]!;
    // signed division and remainder, and reversals of bytes, are numbers
    if (operation === ALU.END || off !== 0) return values.any;
    return compute(values, operation, wide, left, right);
  }

  #loadRegister(slot: number, op: number): number {
    const { insns } = this.code;
    const values = this.#values;
    const loaded = this.#memory.load(slot, this.#frames.state[insns.src[slot]!]!, this.#distance(slot), sizeOf(op));
    if ((op & OP.MODE) !== OP.MEMSX) return loaded;
    return (values.kinds(loaded) & POINTERS) === 0 ? extend(values, loaded, sizeOf(op) * 8, true) : values.any;
  }

  #atomic(slot: number, op: number): void {
    const { insns } = this.code;
    const values = this.#values;
    const state = this.#frames.state;
    const operation = insns.imm[slot]!;
    const pointer = state[insns.dst[slot]!]!;
    const size = sizeOf(op);
    if (operation === LOAD_ACQUIRE) {
      state[insns.dst[slot]!] = this.#memory.load(slot, state[insns.src[slot]!]!, this.#distance(slot), size);
      return;
    }
    const value = operation === STORE_RELEASE ? state[insns.src[slot]!]! : values.any;
    const before = (operation & FETCH) === 0 ? -1 : this.#memory.load(slot, pointer, this.#distance(slot), size);
    this.#memory.store(slot, pointer, this.#distance(slot), size, value);
    if (before >= 0) state[operation === CMPXCHG ? 0 : insns.src[slot]!] = values.join(before, values.any);
  }

  /** BPF_ABS and BPF_IND: a load from the packet, that ends the program with 0 where the packet is shorter. */
  #loadPacket(slot: number): void {
    const state = this.#frames.state;
    this.#leave(slot, this.#values.constant(0), null);
    for (let register = 0; register <= 5; register++) state[register] = this.#values.any;
  }

  #branch(slot: number, op: number, target: number): void {
    const { insns } = this.code;
    const state = this.#frames.state;
    const d = insns.dst[slot]!;
    const before = state[d]!;
    if (op === MAY_GOTO || (op & OP.X) !== 0 || this.#values.kinds(before) !== KIND.NUMBER) {
      this.#flowTo(target, slot);
      return;
    }
    const wide = (op & OP.CLASS) === OP.JMP;
    const operation = op & OP.CODE;
    state[d] = refine(this.#values, before, operation, wide, insns.imm[slot]!, true);
    this.#flowTo(target, slot);
    state[d] = refine(this.#values, before, operation, wide, insns.imm[slot]!, false);
  }

  /** False where nothing is known to come back yet. */
  #call(slot: number): boolean {
    const { insns } = this.code;
    const values = this.#values;
    const state = this.#frames.state;
    let returned: number;
    if (insns.src[slot] === CALL_SRC.HELPER) returned = this.#calls.helper(slot, insns.imm[slot]!);
    else if (insns.src[slot] === CALL_SRC.KFUNC) returned = this.#calls.kfunc(slot);
    else {
      const callee = this.#functionAt.get(slot + 1 + insns.imm[slot]!);
      if (callee === undefined) {
        this.findings.anything(slot, "calls what is no function of it");
        return false;
      }
      remember(this.#callers, callee, this.#leader);
      this.#enter(callee, [state[1]!, state[2]!, state[3]!, state[4]!, state[5]!]);
      returned = this.#returns[callee]!;
      if (this.code.functions[callee]!.global) returned = this.#replaceable(returned);
      if (returned < 0) return false;
    }
    state[0] = returned;
    for (let register = 1; register <= 5; register++) state[register] = values.any;
    return true;
  }

  /** Another program may take a global function's place (freplace): return what it likes, and write where it was let. */
  #replaceable(returned: number): number {
    const values = this.#values;
    for (let register = 1; register <= 5; register++) {
      const value = this.#frames.state[register]!;
      if ((values.kinds(value) & KIND.STACK) !== 0) this.#frames.scribble(values.frame(value), values.offset(value));
    }
    return returned < 0 ? values.any : values.join(returned, values.any);
  }

  /** Joins arguments into a function's entry. */
  #enter(index: number, args: readonly number[]): void {
    const values = this.#values;
    const entry = this.flow.entries[index]!;
    const base = this.#base[entry]!;
    const size = this.#base[entry + 1]! - base;
    const states = this.#states;
    let changed = this.#reached[entry] === 0;
    if (changed) {
      this.#reached[entry] = 1;
      for (let at = 0; at < size; at++) states[base + at] = values.any;
      states[base + FRAME_POINTER] = values.pointer(KIND.STACK, 0, 0, index);
      for (let at = 0; at < args.length; at++) states[base + 1 + at] = args[at]!;
    } else {
      for (let at = 0; at < 5; at++) {
        const before = states[base + 1 + at]!;
        const joined = values.join(before, args[at] ?? values.any);
        if (joined === before) continue;
        states[base + 1 + at] = joined;
        changed = true;
      }
    }
    if (changed) this.#markOne(entry);
  }

  #enterCallback(callback: number, args: readonly number[]): void {
    const values = this.#values;
    if ((values.kinds(callback) & KIND.FUNCTION) === 0) {
      this.findings.anything(this.#slot, "hands over a callback that is not known");
      return;
    }
    const index = values.offset(callback);
    if (index !== ANY_OFFSET) this.#enter(index, args);
    else for (let each = 1; each < this.code.functions.length; each++) this.#enter(each, args);
  }

  /** A function ends with this value. */
  #leave(slot: number, value: number, why: string | null): void {
    const { function: index } = this.#frames;
    if (this.#final[index] !== 0) this.verdict.returned(slot, this.#values.set(value), why);
    const before = this.#returns[index]!;
    const joined = before < 0 ? value : this.#values.join(before, value);
    if (joined === before) return;
    this.#returns[index] = joined;
    this.#mark(this.#callers.get(index));
  }

  /** What an `ld_imm64` loads. */
  #loadWide(slot: number): number {
    const { insns } = this.code;
    const values = this.#values;
    switch (insns.src[slot]) {
      case LD_SRC.NUMBER:
        return this.#rewritten[slot] !== 0 ? values.any : values.constant(insns.imm[slot]!, insns.imm[slot + 1]!);
      case LD_SRC.MAP_FD:
      case LD_SRC.MAP_IDX: {
        const reference = this.#maps.at(slot);
        return values.pointer(KIND.MAP, reference === null ? FOREIGN : this.#maps.bit(reference.map));
      }
      case LD_SRC.MAP_VALUE:
      case LD_SRC.MAP_IDX_VALUE: {
        const reference = this.#maps.at(slot);
        if (reference === null) return values.pointer(KIND.MAP_VALUE, FOREIGN);
        return values.pointer(KIND.MAP_VALUE, this.#maps.bit(reference.map), reference.offset ?? ANY_OFFSET);
      }
      case LD_SRC.BTF_ID:
        return values.pointer(KIND.KERNEL | KIND.NUMBER);
      case LD_SRC.FUNC: {
        const index = this.#functionAt.get(slot + 1 + insns.imm[slot]!);
        if (index !== undefined) return values.pointer(KIND.FUNCTION, 0, index);
        break;
      }
    }
    this.findings.anything(slot, "loads what is not known");
    return values.pointer(ANYTHING, -1);
  }

  #noteSymbol(slot: number): void {
    const name = this.code.ksymAt(slot)?.name;
    const which = name === undefined ? "a kernel symbol" : `kernel symbol \`${name}\``;
    this.findings.note("reads_kernel_memory", slot, `takes the address of ${which}`);
  }
}

const FETCH = 1;
const CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

const SIZES = [4, 2, 1, 8];

function sizeOf(opcode: number): number {
  return SIZES[(opcode & OP.SIZE) >> 3]!;
}

function remember(sets: Map<number, Set<number>>, key: number, leader: number): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([leader]));
  else known.add(leader);
}
