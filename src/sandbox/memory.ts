import { BUDGET, COLLECT, INTEGERS } from "./slots.js";

/** Bytes of a WASM page; and what the engines' modules ask for at least, and at most: 16 MiB and 2 GiB. */
const INITIAL = 256;
const MAXIMUM = 32768;

/** The address of the address of the box of the runtime that is running: scripts/engine.mjs has the engine look there. */
export const BOX = 16;
/** The address of the units that natives may still use: the engine traps once they are negative. */
export const UNITS = 20;
/** The box that is used while no runtime is running. All three are below the memory that the engine uses. */
const IDLE = 64;
/** Where the engine's own memory begins. */
const LOW_END = 1024;

/** A budget that nothing uses up, with room to give back more than was taken. */
export const NO_BUDGET = 0x3fff_ffff;
export const NO_LIMIT = 0x7fff_ffff;
/** Values of COLLECT: at the next object that is made, and never. */
export const NOW = 0x7fff_ffff;
export const NEVER = -0x8000_0000;

/**
 * A module's linear memory, and whose it is. QuickJS's own limit does not bound what a policy takes in WASM: it cannot ask
 * there how large a block is (`malloc_usable_size unavailable`), so it counts 8 bytes for each. The engine is therefore changed
 * to take what it allocates from a budget in the box of the runtime that is running, and to say there what was refused.
 */
export class GuestMemory {
  readonly wasm = new WebAssembly.Memory({ initial: INITIAL, maximum: MAXIMUM });
  #words = this.#view();
  #running = IDLE;

  constructor() {
    this.#words[BOX >> 2] = IDLE;
    this.#words[(IDLE >> 2) + COLLECT] = NEVER;
    this.allow(Number.POSITIVE_INFINITY);
  }

  /** From now on what is allocated is of the runtime with this box; of none without one. */
  run(box = IDLE): void {
    if (box === this.#running) return;
    this.#running = box;
    this.#fresh()[BOX >> 2] = box;
  }

  /** Sets the bytes and the units of natives that may be used while no runtime is running. */
  allow(bytes: number, units = NO_LIMIT): void {
    this.#fresh()[(IDLE >> 2) + BUDGET] = Math.min(bytes, NO_BUDGET);
    this.units = units;
  }

  /** Bytes that were freed since {@link allow} without a limit, while no runtime was running. */
  get given(): number {
    return this.#fresh()[(IDLE >> 2) + BUDGET]! - NO_BUDGET;
  }

  /** Whether nothing was written below what the engine uses: a write through a null pointer does not trap in WASM. */
  isLowEndIntact(): boolean {
    const words = new Int32Array(this.wasm.buffer, 0, LOW_END >> 2);
    const box = IDLE >> 2;
    return (
      words[BOX >> 2] === this.#running &&
      words.every(
        (word, at) => word === 0 || at === BOX >> 2 || at === UNITS >> 2 || (at >= box && at < box + INTEGERS),
      )
    );
  }

  /** The units that natives may still use; negative once they have used more. */
  get units(): number {
    return this.#fresh()[UNITS >> 2]!;
  }

  set units(units: number) {
    this.#fresh()[UNITS >> 2] = units;
  }

  get size(): number {
    return this.wasm.buffer.byteLength;
  }

  /** Seen anew where memory has grown. */
  #fresh(): Int32Array {
    if (this.#words.length === 0) this.#words = this.#view();
    return this.#words;
  }

  #view(): Int32Array {
    return new Int32Array(this.wasm.buffer, 0, (IDLE >> 2) + INTEGERS);
  }
}
