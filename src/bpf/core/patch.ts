import { INSN_SIZE, OP } from "../insn/insn.js";
import { coreError } from "./core-error.js";
import { poison } from "./poison.js";
import type { Resolution } from "./resolution.js";

const MAX_OFFSET = 0x7fffn;
/** Size bits of loads and stores by their size in bytes. */
const SIZE_BITS: Readonly<Record<number, number>> = { 1: OP.B, 2: OP.H, 4: OP.W, 8: OP.DW };
const BYTES: Readonly<Record<number, number>> = { [OP.B]: 1, [OP.H]: 2, [OP.W]: 4, [OP.DW]: 8 };

/** Instructions that are relocated in place. */
export class Patcher {
  readonly #view: DataView;

  constructor(
    readonly insns: Uint8Array,
    readonly little: boolean,
  ) {
    this.#view = new DataView(insns.buffer, insns.byteOffset, insns.length);
  }

  opcode(slot: number): number {
    return this.#view.getUint8(slot * INSN_SIZE);
  }

  /** Applies a CO-RE relocation (bpf_core_patch_insn). Returns the slots that it poisoned. */
  apply(slot: number, resolution: Resolution): number {
    const opcode = this.opcode(slot);
    if (opcode === OP.LD_IMM64 && slot + 1 >= this.insns.length / INSN_SIZE)
      throw malformed("is an incomplete ld_imm64");
    if (resolution.poison) return this.#poison(slot, opcode);
    switch (opcode & OP.CLASS) {
      case OP.ALU:
      case OP.ALU64:
        this.#immediate(slot, opcode, resolution);
        return 0;
      case OP.LDX:
      case OP.ST:
      case OP.STX:
        return this.#memory(slot, opcode, resolution);
      case OP.LD:
        this.#wide(slot, opcode, resolution);
        return 0;
      default:
        throw malformed(`has operation code ${hex(opcode)}, which cannot be relocated`);
    }
  }

  /** Sets the address of a kernel symbol, or the id of its BTF type. */
  symbol(slot: number, src: number, value: bigint): void {
    this.#require(OP.LD_IMM64, slot, 2);
    this.#setSrc(slot, src);
    this.#setImm(slot, Number(BigInt.asIntN(32, value)));
    this.#setImm(slot + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  kfunc(slot: number, id: number, index: number): void {
    this.#require(OP.CALL, slot, 1);
    this.#setImm(slot, id);
    this.#view.setInt16(slot * INSN_SIZE + 2, index, this.little);
  }

  missingKfunc(slot: number, extern: number): void {
    this.#require(OP.CALL, slot, 1);
    poison(this.#view, this.little, slot, "kfunc", extern);
  }

  #require(opcode: number, slot: number, slots: number): void {
    if (slot + slots > this.insns.length / INSN_SIZE || this.opcode(slot) !== opcode)
      throw malformed("is neither a call nor an ld_imm64, and refers to a kernel symbol").within(`instruction ${slot}`);
  }

  #poison(slot: number, opcode: number): number {
    const slots = opcode === OP.LD_IMM64 ? 2 : 1;
    for (let next = slot; next < slot + slots; next++) poison(this.#view, this.little, next, "relocation");
    return slots;
  }

  #immediate(slot: number, opcode: number, { from, to, checked }: Resolution): void {
    if ((opcode & OP.X) !== 0) throw malformed("has no immediate");
    expect(BigInt(this.#imm(slot)), from, checked);
    this.#setImm(slot, Number(BigInt.asIntN(32, to)));
  }

  #memory(slot: number, opcode: number, resolution: Resolution): number {
    const { from, to, checked, fromSize, toSize, fixedSize } = resolution;
    expect(BigInt(this.#view.getInt16(slot * INSN_SIZE + 2, this.little)), from, checked);
    if (to > MAX_OFFSET) throw coreError("CORE_UNSUPPORTED", `offset ${to} is larger than ${MAX_OFFSET}`);
    if (fixedSize) return this.#poison(slot, opcode);
    this.#view.setInt16(slot * INSN_SIZE + 2, Number(to), this.little);
    if (fromSize === toSize) return 0;
    const size = BYTES[opcode & OP.SIZE]!;
    if (size !== fromSize) throw malformed(`accesses ${size} bytes of a field of ${fromSize}`);
    const bits = SIZE_BITS[toSize];
    if (bits === undefined) throw coreError("CORE_UNSUPPORTED", `no load has the kernel's size of ${toSize} bytes`);
    this.#view.setUint8(slot * INSN_SIZE, (opcode & OP.MODE) | bits | (opcode & OP.CLASS));
    return 0;
  }

  #wide(slot: number, opcode: number, { from, to, checked }: Resolution): void {
    const at = slot * INSN_SIZE;
    const isPlain = this.#view.getUint16(at + 2) === 0 && this.#view.getUint32(at + 8) === 0 && this.#src(slot) === 0;
    if (opcode !== OP.LD_IMM64 || !isPlain) throw malformed("is not a plain ld_imm64");
    expect((BigInt(this.#imm(slot + 1)) << 32n) | BigInt(this.#imm(slot) >>> 0), from, checked);
    this.#setImm(slot, Number(BigInt.asIntN(32, to)));
    this.#setImm(slot + 1, Number(BigInt.asIntN(32, to >> 32n)));
  }

  #src(slot: number): number {
    const registers = this.#view.getUint8(slot * INSN_SIZE + 1);
    return this.little ? registers >> 4 : registers & 15;
  }

  #setSrc(slot: number, src: number): void {
    const registers = this.#view.getUint8(slot * INSN_SIZE + 1);
    const others = this.little ? registers & 0x0f : registers & 0xf0;
    this.#view.setUint8(slot * INSN_SIZE + 1, others | (this.little ? src << 4 : src));
  }

  #imm(slot: number): number {
    return this.#view.getInt32(slot * INSN_SIZE + 4, this.little);
  }

  #setImm(slot: number, imm: number): void {
    this.#view.setInt32(slot * INSN_SIZE + 4, imm, this.little);
  }
}

/** The instruction's own value, sign-extended to 64 bits, must be that of the local type. */
function expect(found: bigint, wanted: bigint, checked: boolean): void {
  if (checked && BigInt.asUintN(64, found) !== wanted)
    throw malformed(`has ${BigInt.asUintN(64, found)} where its types give ${wanted}`);
}

function malformed(message: string) {
  return coreError("CORE_MALFORMED", message);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
