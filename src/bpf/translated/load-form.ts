import { CALL_SRC, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import { KFUNC_ROWS } from "../tables/kfuncs.js";

/** What a call of a function of the kernel stands for. */
export type Callee =
  /**
   * A helper, by its id: the arguments and the result are its own. If it `keepsRegisters`, r1 to r5 have the same
   * values afterwards: the verifier removes instructions that save them (bpf_fastcall).
   */
  | { readonly helper: number; readonly keepsRegisters?: true }
  | { readonly kfunc: string }
  /** The lookup of an element of a hash map, after which the instructions compute the address of its value. */
  | { readonly inlined: "hash_lookup" }
  /** A load from a packet (BPF_ABS, BPF_IND): only r0 gets a value. */
  | { readonly inlined: "packet_load" }
  /** The check of a loop's time (may_goto): only the auxiliary register gets a value. */
  | { readonly inlined: "loop_check" }
  /** A function that is not known, so that anything may happen; `because` says why. */
  | { readonly because: string };

/** What the kernel that translated a program has at its addresses. */
export interface KernelView {
  /** What a call of an address stands for: `imm` is its distance from __bpf_call_base. */
  callee(imm: number, isKfunc: boolean): Callee;
  /** The kernel symbol at an address, given as two words; null if none begins there. */
  symbol(low: number, high: number): string | null;
}

/** A call or an instruction that is not understood. */
export interface Problem {
  readonly slot: number;
  readonly because: string;
}

/** A program's translated instructions in the form of a load, for LiveProgram. */
export interface LoadForm {
  /** As many instructions as before. */
  readonly insns: Uint8Array;
  /** By the BTF id in the instructions minus 1: the names of kfuncs and of symbols of the kernel. */
  readonly names: readonly { readonly kind: "func" | "var"; readonly name: string }[];
  /** The slots of calls after which r1 to r5 are as before. */
  readonly keeping: ReadonlySet<number>;
  readonly problems: readonly Problem[];
}

/** BPF_FUNC_tail_call, as which the kernel shows an instruction of its own (bpf_insn_prepare_dump). */
const TAIL_CALL = 12;
/** Modes of loads and stores that the kernel shows as they are (include/linux/filter.h, 6.1 to 7.3). */
const PROBE_MEM = 0x20;
const PROBE_MEMSX = 0x40;
const PROBE_MEM32 = 0xa0;
const PROBE_ATOMIC = 0xe0;
const PROBE_MEM32SX = 0xc0;
/** BPF_ST | BPF_NOSPEC: a barrier. */
const NOSPEC = 0xc2;

const MOVE = 0xbf;
const MOVE_NUMBER = 0xb7;
const MOVE_NUMBER_32 = 0xb4;
const SWAP_BYTES = 0xd7;
const ADD = 0x07;
const IF_EQUAL = 0x15;
const IF_NOT_EQUAL = 0x55;
const LOAD_BYTE = 0x71;
const LOAD_WORD = 0x61;
const LOAD_LONG = 0x79;
const STORE_BYTE = 0x72;
/** `off` of BPF_ADDR_PERCPU: the address of this processor's copy. */
const PER_CPU = -1;
/** BPF_REG_AX. */
const AUXILIARY = 11;
/** A call of a subprogram has its offset in 16 bits. */
const WRAP = 1 << 16;

/**
 * Undoes what the verifier did to instructions after it had checked them, as far as the result is not that of ordinary
 * instructions (bpf_do_misc_fixups of kernel/bpf/fixups.c, before Linux 7.2 do_misc_fixups of kernel/bpf/verifier.c,
 * and `map_gen_lookup` of the types of maps), and what the kernel did to show them (bpf_insn_prepare_dump of
 * kernel/bpf/syscall.c). `bytes` is a whole number of struct bpf_insn in little-endian order.
 */
export function loadForm(bytes: Uint8Array, kernel: KernelView): LoadForm {
  return new Rewriter(bytes, kernel).run();
}

class Rewriter {
  readonly #insns: Uint8Array;
  readonly #view: DataView;
  readonly #count: number;
  readonly #names: { kind: "func" | "var"; name: string }[] = [];
  readonly #ids = new Map<string, number>();
  readonly #keeping = new Set<number>();
  readonly #problems: Problem[] = [];

  constructor(
    bytes: Uint8Array,
    readonly kernel: KernelView,
  ) {
    this.#insns = Uint8Array.from(bytes);
    this.#view = new DataView(this.#insns.buffer);
    this.#count = Math.floor(bytes.length / INSN_SIZE);
  }

  run(): LoadForm {
    for (let slot = 0; slot < this.#count; ) slot += this.#rewrite(slot);
    return { insns: this.#insns, names: this.#names, keeping: this.#keeping, problems: this.#problems };
  }

  /** Rewrites the instruction in this slot, and those that belong to it. Returns the number of slots. */
  #rewrite(slot: number): number {
    const op = this.#op(slot);
    if (op === OP.LD_IMM64) return this.#literal(slot);
    if (op === OP.CALL) return this.#call(slot);
    if (op === MOVE && this.#off(slot) === PER_CPU) return this.#move(slot);
    if (op === MOVE_NUMBER || op === MOVE_NUMBER_32) return this.#ofThisCpu(slot);
    if (op === NOSPEC) this.#nothing(slot);
    else this.#access(slot, op);
    return 1;
  }

  /** Modes of loads and stores that differ only in what happens at a fault. */
  #access(slot: number, op: number): void {
    const kind = op & OP.CLASS;
    if (kind !== OP.LDX && kind !== OP.ST && kind !== OP.STX) return;
    const mode = op & OP.MODE;
    if (mode === PROBE_MEM || mode === PROBE_MEM32) this.#setOp(slot, (op & ~OP.MODE) | OP.MEM);
    else if (kind === OP.LDX && (mode === PROBE_MEMSX || mode === PROBE_MEM32SX))
      this.#setOp(slot, (op & ~OP.MODE) | OP.MEMSX);
    else if (kind === OP.STX && mode === PROBE_ATOMIC) this.#setOp(slot, (op & ~OP.MODE) | OP.ATOMIC);
  }

  #literal(slot: number): number {
    if (slot + 1 >= this.#count || this.#src(slot) !== LD_SRC.NUMBER) return 2;
    const name = this.kernel.symbol(this.#imm(slot), this.#imm(slot + 1));
    if (name === null) return 2;
    const to = this.#dst(slot);
    if (name.startsWith("jiffies") && this.#isAt(slot + 2, LOAD_LONG, to, to) && this.#off(slot + 2) === 0) {
      // bpf_jiffies64
      this.#anyNumber(slot, to);
      this.#nothing(slot + 2);
      return 3;
    }
    this.#setRegisters(slot, to, LD_SRC.BTF_ID);
    this.#setImm(slot, this.#nameId("var", name));
    this.#setImm(slot + 1, 0);
    return 2;
  }

  /** The address of a value's copy for this processor stands for the value. */
  #move(slot: number): number {
    this.#setOff(slot, 0);
    return 1;
  }

  /** bpf_get_smp_processor_id and bpf_get_current_task: a load from this processor's copy of a variable. */
  #ofThisCpu(slot: number): number {
    const to = this.#dst(slot);
    if (!this.#isAt(slot + 1, MOVE, to, to) || this.#off(slot + 1) !== PER_CPU) return 1;
    const isNumber = this.#isAt(slot + 2, LOAD_WORD, to, to);
    if ((!isNumber && !this.#isAt(slot + 2, LOAD_LONG, to, to)) || this.#off(slot + 2) !== 0) {
      this.#problem(slot + 1, "reads a variable of the processor that is not known");
      return 2;
    }
    if (isNumber) this.#anyNumber(slot, to);
    else {
      this.#set(slot, OP.LD_IMM64, to, LD_SRC.BTF_ID, 0, this.#nameId("var", "current_task"));
      this.#set(slot + 1, 0, 0, 0, 0, 0);
    }
    this.#nothing(slot + 2);
    return 3;
  }

  #call(slot: number): number {
    const src = this.#src(slot);
    if (src === CALL_SRC.SUBPROGRAM) {
      this.#subprogram(slot);
      return 1;
    }
    if (src === CALL_SRC.HELPER && this.#imm(slot) === TAIL_CALL) return 1;
    const callee = this.kernel.callee(this.#imm(slot), src === CALL_SRC.KFUNC);
    if ("keepsRegisters" in callee) this.#keeping.add(slot);
    if ("because" in callee) this.#problem(slot, callee.because);
    else if ("kfunc" in callee && !KFUNC_ROWS.has(callee.kfunc))
      this.#problem(slot, `calls kfunc \`${callee.kfunc}\`, which is not known`);
    else if ("helper" in callee) this.#set(slot, OP.CALL, 0, CALL_SRC.HELPER, 0, callee.helper);
    else if ("kfunc" in callee) this.#set(slot, OP.CALL, 0, CALL_SRC.KFUNC, 0, this.#nameId("func", callee.kfunc));
    else if (callee.inlined === "hash_lookup") return this.#hashLookup(slot);
    else if (callee.inlined === "packet_load") this.#set(slot, OP.CALL, 0, CALL_SRC.HELPER, 0, NUMBER_HELPER);
    else this.#set(slot, SWAP_BYTES, AUXILIARY, 0, 0, 64);
    return 1;
  }

  /**
   * A call of a subprogram has the offset in `off` (jit_subprogs and bpf_patch_call_args), of which the upper bits are
   * lost. What is called begins after the end of another function.
   */
  #subprogram(slot: number): void {
    const near = slot + 1 + this.#off(slot);
    const targets: number[] = [];
    for (let target = ((near % WRAP) + WRAP) % WRAP; target < this.#count; target += WRAP)
      if (target > 0 && ENDS.has(this.#op(target - 1))) targets.push(target);
    const [target] = targets;
    if (targets.length > 1) this.#problem(slot, "calls one of several functions, which cannot be told apart");
    else if (target === undefined) this.#problem(slot, "calls an address that is not a function of the program");
    else this.#set(slot, OP.CALL, 0, CALL_SRC.SUBPROGRAM, 0, target - slot - 1);
  }

  /** The instructions after the call end with the value's address, or a map that the element holds. */
  #hashLookup(slot: number): number {
    const rest = this.#restOfLookup(slot + 1);
    if (rest === 0) this.#problem(slot, "looks up an element of a map in a way that is not known");
    else this.#set(slot, OP.CALL, 0, CALL_SRC.HELPER, 0, MAP_LOOKUP);
    for (let each = 1; each <= rest; each++) this.#nothing(slot + each);
    return 1 + rest;
  }

  /** The number of instructions with which a lookup goes on in this slot; 0 if they are others. */
  #restOfLookup(slot: number): number {
    if (!this.#isAt(slot, IF_EQUAL, 0, 0) || this.#imm(slot) !== 0) return 0;
    const skipped = this.#off(slot);
    const adds = (at: number) => this.#isAt(at, ADD, 0, 0);
    const loads = (at: number) => this.#isAt(at, LOAD_LONG, 0, 0) && this.#off(at) === 0;
    if (skipped === 1 && adds(slot + 1)) return 2;
    if (skipped === 2 && adds(slot + 1) && loads(slot + 2)) return 3;
    const isPerCpu = (at: number) => this.#isAt(at, MOVE, 0, 0) && this.#off(at) === PER_CPU;
    if (skipped === 3 && adds(slot + 1) && loads(slot + 2) && isPerCpu(slot + 3)) return 4;
    const marks =
      this.#isAt(slot + 1, LOAD_BYTE, 1, 0) &&
      this.#isAt(slot + 2, IF_NOT_EQUAL, 1, 0) &&
      this.#isAt(slot + 3, STORE_BYTE, 0, 0);
    return skipped === 4 && marks && adds(slot + 4) ? 5 : 0;
  }

  #isAt(slot: number, op: number, dst: number, src: number): boolean {
    return slot < this.#count && this.#op(slot) === op && this.#dst(slot) === dst && this.#src(slot) === src;
  }

  /** Two instructions after which a register may hold any number. */
  #anyNumber(slot: number, register: number): void {
    this.#set(slot, MOVE_NUMBER, register, 0, 0, 0);
    this.#set(slot + 1, SWAP_BYTES, register, 0, 0, 64);
  }

  #nothing(slot: number): void {
    this.#set(slot, MOVE, 0, 0, 0, 0);
  }

  #problem(slot: number, because: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ slot, because });
  }

  #nameId(kind: "func" | "var", name: string): number {
    const key = `${kind} ${name}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#names.push({ kind, name });
      this.#ids.set(key, id);
    }
    return id;
  }

  #op(slot: number): number {
    return this.#insns[slot * INSN_SIZE]!;
  }
  #dst(slot: number): number {
    return this.#insns[slot * INSN_SIZE + 1]! & 15;
  }
  #src(slot: number): number {
    return this.#insns[slot * INSN_SIZE + 1]! >> 4;
  }
  #off(slot: number): number {
    return this.#view.getInt16(slot * INSN_SIZE + 2, true);
  }
  #imm(slot: number): number {
    return this.#view.getInt32(slot * INSN_SIZE + 4, true);
  }
  #setOp(slot: number, op: number): void {
    this.#insns[slot * INSN_SIZE] = op;
  }
  #setRegisters(slot: number, dst: number, src: number): void {
    this.#insns[slot * INSN_SIZE + 1] = dst | (src << 4);
  }
  #setOff(slot: number, off: number): void {
    this.#view.setInt16(slot * INSN_SIZE + 2, off, true);
  }
  #setImm(slot: number, imm: number): void {
    this.#view.setInt32(slot * INSN_SIZE + 4, imm, true);
  }
  #set(slot: number, op: number, dst: number, src: number, off: number, imm: number): void {
    this.#setOp(slot, op);
    this.#setRegisters(slot, dst, src);
    this.#setOff(slot, off);
    this.#setImm(slot, imm);
  }
}

/** bpf_map_lookup_elem. */
const MAP_LOOKUP = 1;
/** bpf_get_prandom_u32, which returns a number and has no effect. */
const NUMBER_HELPER = 7;
/** The last instruction of a function. */
const ENDS: ReadonlySet<number> = new Set([OP.EXIT, OP.JA16, OP.JA32]);
const MOST_PROBLEMS = 64;
