import { OP } from "../insn/insn.js";
import { type Code, SEQUENCE } from "../model/code.js";
import { FOREIGN } from "./maps.js";
import type { Memory } from "./memory.js";
import { ALL, isNumber, withAddress } from "./values/addresses.js";
import { ALU } from "./values/alu.js";
import { compute, derived, extend, truncate } from "./values/arithmetic.js";
import { ANY_OFFSET, GIVEN_OBJECT, KIND, POINTERS } from "./values/kinds.js";
import type { Values } from "./values/values.js";

const FETCH = 1;
const CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;
/** r += constant, and r = r, in 64 bits. */
const ADD_CONSTANT = 0x07;
const COPY = 0xbf;
const PER_CPU = -1;
/** What the first argument of a program may be that replaces another one: nothing else holds pointers. */
const MAYBE_CONTEXT = KIND.CTX | KIND.PACKET | KIND.LENT | KIND.NUMBER;
/** Number of bytes, by the size bits of the opcode (shifted down): W, H, B, DW. */
const SIZES = [4, 2, 1, 8];

/** Single instructions that compute, load or store. */
export class Operations {
  readonly #values: Values;
  readonly #state: Int32Array;

  constructor(
    readonly code: Code,
    readonly memory: Memory,
    /** From rewritten-slots.ts. */
    readonly rewrittenSlots: Int32Array | null,
  ) {
    this.#values = memory.values;
    this.#state = memory.frames.state;
  }
  rewritten(slot: number): boolean {
    return this.rewrittenSlots !== null && this.rewrittenSlots[slot] !== 0;
  }

  arithmetic(slot: number, op: number): void {
    const { insns } = this.code;
    const values = this.#values;
    const state = this.#state;
    const d = insns.dst[slot]!;
    const wide = (op & OP.CLASS) === OP.ALU64;
    const operation = op & OP.CODE;
    const off = insns.off[slot]!;
    const right = (op & OP.X) !== 0 ? state[insns.src[slot]!]! : this.#immediate(slot);
    if (operation === ALU.MOV) {
      if (off === 0) state[d] = wide ? this.#moved(slot, op, right) : truncate(values, right);
      // BPF_ADDR_PERCPU: the same for this processor
      else if (off === PER_CPU && this.code.translation != null) state[d] = right;
      // addr_space_cast
      else if (off === 1 && wide)
        state[d] = values.pointer(KIND.ARENA | KIND.NUMBER, this.memory.maps.arenas || FOREIGN);
      else state[d] = extend(values, right, off, wide);
    }
    // Signed division and remainder, and byte swaps, give numbers.
    else if (operation === ALU.END) state[d] = derived(values, state[d]!);
    else if (off !== 0) state[d] = values.join(derived(values, state[d]!), derived(values, right));
    else if (this.#isLookup(op, state[d]!, right))
      state[d] = values.pointer(this.memory.maps.insideOf(values.maps(state[d]!)), values.maps(state[d]!));
    else state[d] = compute(values, operation, wide, state[d]!, right);
  }

  /**
   * The value of a move. The verifier puts `r0 = r1` in place of bpf_cast_to_kern_ctx and bpf_rdonly_cast
   * (fixup_kfunc_call), after which a pointer of any kind may be one to a kernel object.
   */
  #moved(slot: number, op: number, value: number): number {
    const { insns, translation } = this.code;
    const isCast = translation != null && op === COPY && insns.dst[slot] === 0 && insns.src[slot] === 1;
    const values = this.#values;
    if (!isCast || (values.kinds(value) & POINTERS) === 0) return value;
    return values.join(value, values.pointer(GIVEN_OBJECT));
  }

  /**
   * Whether the verifier has put this in place of a lookup: it rejects adding to a map, except of 0 (check_map_access,
   * adjust_ptr_min_max_vals).
   */
  #isLookup(op: number, value: number, added: number): boolean {
    const values = this.#values;
    if (op !== ADD_CONSTANT || this.code.translation == null || values.kinds(value) !== KIND.MAP) return false;
    return values.lo(added) !== 0;
  }

  load(slot: number, op: number): void {
    const { insns } = this.code;
    const values = this.#values;
    const size = sizeOf(op);
    if (this.code.translation != null && this.#loadsInside(slot)) return;
    let loaded = this.memory.load(slot, this.#state[insns.src[slot]!]!, this.#distance(slot), size);
    // The kernel adapts the size of the load to the field (bpf_core_patch_insn), so no byte is known to be zero.
    if (this.rewritten(slot) && isNumber(values, loaded)) loaded = derived(values, loaded);
    const extended = (op & OP.MODE) === OP.MEMSX;
    this.#state[insns.dst[slot]!] = !extended
      ? loaded
      : (values.kinds(loaded) & POINTERS) === 0
        ? extend(values, loaded, size * 8, true)
        : derived(values, loaded);
  }

  /** A load in a sequence that stands for a load of a field of the context. Returns false if it is another one. */
  #loadsInside(slot: number): boolean {
    const { insns, translation } = this.code;
    const values = this.#values;
    const place = translation!.sequences[slot];
    if (place === undefined || place === 0) return false;
    const from = this.#state[insns.src[slot]!]!;
    const isContext = (values.kinds(from) & ~MAYBE_CONTEXT) === 0 && (values.kinds(from) & KIND.CTX) !== 0;
    const begins = place === SEQUENCE.FIRST && isContext && values.offset(from) === 0;
    if (!begins && values.kinds(from) !== KIND.INSIDE) return false;
    this.#state[insns.dst[slot]!] = place === SEQUENCE.LAST ? values.any : values.pointer(KIND.INSIDE);
    return true;
  }

  store(slot: number, op: number): void {
    if ((op & OP.MODE) === OP.ATOMIC) {
      this.#atomic(slot, op);
      return;
    }
    const { insns } = this.code;
    const value = (op & OP.CLASS) === OP.STX ? this.#state[insns.src[slot]!]! : this.#immediate(slot);
    this.memory.store(slot, this.#state[insns.dst[slot]!]!, this.#distance(slot), sizeOf(op), value);
  }

  #atomic(slot: number, op: number): void {
    const { insns } = this.code;
    const values = this.#values;
    const state = this.#state;
    const operation = insns.imm[slot]!;
    const pointer = state[insns.dst[slot]!]!;
    const distance = this.#distance(slot);
    const size = sizeOf(op);
    if (operation === LOAD_ACQUIRE) {
      state[insns.dst[slot]!] = this.memory.load(slot, state[insns.src[slot]!]!, distance, size);
      return;
    }
    const operand = state[insns.src[slot]!]!;
    if (operation === STORE_RELEASE) {
      this.memory.store(slot, pointer, distance, size, operand);
      return;
    }
    const { addresses } = this.memory;
    addresses.combined(slot, operand);
    if (operation === CMPXCHG) addresses.combined(slot, state[0]!);
    const before = (operation & FETCH) === 0 ? -1 : this.memory.load(slot, pointer, distance, size);
    if (before < 0) this.memory.stack.load(slot, pointer, distance, size);
    // On the stack, what was there stays part of the result.
    const result = withAddress(values, derived(values, operand), addresses.mayHold(pointer, distance, size) ? ALL : 0);
    this.memory.store(slot, pointer, distance, size, result);
    if (before >= 0) state[operation === CMPXCHG ? 0 : insns.src[slot]!] = values.join(before, values.any);
  }

  #immediate(slot: number): number {
    return this.rewritten(slot) ? this.#values.any : this.#values.constant(this.code.insns.imm[slot]!);
  }

  #distance(slot: number): number {
    return this.rewritten(slot) ? ANY_OFFSET : this.code.insns.off[slot]!;
  }
}

function sizeOf(opcode: number): number {
  return SIZES[(opcode & OP.SIZE) >> 3]!;
}
