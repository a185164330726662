import { CALL_SRC, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import type { HelperRow } from "../tables/helpers.js";

/** The register that keeps the context, which calls of helpers leave alone. */
const CONTEXT = 6;
const FRAME = 10;
/** Bytes of the frame, set to 0, that calls use where they need memory. */
const BUFFER = 64;
/** The size that a call is given for the memory in the argument before it. */
const SIZE = 8;

const STORE_DW = OP.ST | OP.DW | OP.MEM;
const MOVE_NUMBER = OP.ALU64 | 0xb0;
const MOVE = OP.ALU64 | 0xb0 | OP.X;
const ADD = OP.ALU64;

/** Letters of a helper's arguments that point to memory in the frame. */
const IN_FRAME = new Set(["r", "w", "d", "t", "o", "y", "z"]);

/** Instructions of one program, in little-endian order, in the order of the calls. */
export class Instructions {
  readonly #bytes: number[] = [];
  /** Offsets in bytes of the instructions that take the address of the callback. */
  readonly #callbacks: number[] = [];

  /** Keeps the context and sets the buffer to 0. */
  begin(): void {
    this.#add(MOVE, CONTEXT, 1);
    for (let at = 8; at <= BUFFER; at += 8) this.#add(STORE_DW, FRAME, 0, -at);
  }

  /** Refers to a map by its fd. */
  useMap(fd: number): void {
    this.#wide(1, LD_SRC.MAP_FD, fd);
  }

  /** Calls a helper. `fd` is the map for an argument that is one. */
  callHelper({ id, args }: HelperRow, fd: number): void {
    [...args].forEach((letter, index) => {
      const register = index + 1;
      const before = args[index - 1];
      if (letter === "c") this.#add(MOVE, register, CONTEXT);
      else if (letter === "m") this.#wide(register, LD_SRC.MAP_FD, fd);
      else if (letter === "f") {
        this.#callbacks.push(this.#bytes.length);
        this.#wide(register, LD_SRC.FUNC, 0);
      } else if (IN_FRAME.has(letter)) {
        this.#add(MOVE, register, FRAME);
        this.#add(ADD, register, 0, 0, -BUFFER);
      } else this.#add(MOVE_NUMBER, register, 0, 0, before !== undefined && IN_FRAME.has(before) ? SIZE : 0);
    });
    this.#add(OP.CALL, 0, CALL_SRC.HELPER, 0, id);
  }

  /** Calls a kfunc with the context in each argument. */
  callKfunc(btfId: number): void {
    for (let register = 1; register <= 5; register++) this.#add(MOVE, register, CONTEXT);
    this.#add(OP.CALL, 0, CALL_SRC.KFUNC, 0, btfId);
  }

  /** Number of instructions that {@link end} adds. */
  get ending(): number {
    return this.#callbacks.length > 0 ? 4 : 2;
  }

  get count(): number {
    return this.#bytes.length / INSN_SIZE;
  }

  /** Adds instructions without an effect until the program, with its end, has `count`. */
  pad(count: number): void {
    while (this.count + this.ending < count) this.#add(MOVE_NUMBER, 0, 0, 0, 0);
  }

  /** Returns a number. A callback returns 0. */
  end(value: number): Uint8Array {
    this.#add(MOVE_NUMBER, 0, 0, 0, value);
    this.#add(OP.EXIT, 0, 0);
    if (this.#callbacks.length === 0) return Uint8Array.from(this.#bytes);
    const callback = this.count;
    this.#add(MOVE_NUMBER, 0, 0, 0, 0);
    this.#add(OP.EXIT, 0, 0);
    const bytes = Uint8Array.from(this.#bytes);
    const view = new DataView(bytes.buffer);
    for (const at of this.#callbacks) view.setInt32(at + 4, callback - at / INSN_SIZE - 1, true);
    return bytes;
  }

  #wide(dst: number, src: number, imm: number): void {
    this.#add(OP.LD_IMM64, dst, src, 0, imm);
    this.#add(0, 0, 0);
  }

  #add(opcode: number, dst: number, src: number, off = 0, imm = 0): void {
    this.#bytes.push(opcode, dst | (src << 4), off & 0xff, (off >> 8) & 0xff);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((imm >> shift) & 0xff);
  }
}
