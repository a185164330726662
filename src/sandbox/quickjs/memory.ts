import { BUDGET, COLLECT, INTEGERS } from "../shared/buffer-layout.js";
import { MemoryImage, PAGE } from "./memory-image.js";

/** WASM pages: the initial and maximum memory that the engine's modules import, 16 MiB and 2 GiB. */
const INITIAL = 256;
const MAXIMUM = 32768;

/** Address of the pointer to the running runtime's shared buffer. scripts/engine.mjs patches the engine to read it. */
export const BUFFER_POINTER = 16;
/** Address of the units that native code may still use. The engine traps when they are negative. */
export const UNITS = 20;
/**
 * The shared buffer that is used while no runtime is running. All three addresses are below the engine's own memory.
 */
const IDLE = 64;
/** Start of the engine's own memory. */
const LOW_END = 1024;

/** Budgets that nothing exhausts; bytes can be freed without an overflow. */
export const NO_BUDGET = 0x3fff_ffff;
export const NO_LIMIT = 0x7fff_ffff;
/** Values of COLLECT: collect garbage at the next allocation of an object, or never. */
export const NOW = 0x7fff_ffff;
export const NEVER = -0x8000_0000;

/** A memory's contents, and which runtime was running. */
export interface SavedMemory {
  readonly image: MemoryImage;
  readonly running: number;
}

/**
 * A module's linear memory. QuickJS's own memory limit does not work in WASM: it has no `malloc_usable_size` there, so
 * it counts 8 bytes for each block. Therefore the engine is patched to take each allocation from the budget in the
 * shared buffer of the running runtime, and to record a failed allocation there.
 */
export class GuestMemory {
  readonly wasm = new WebAssembly.Memory({ initial: INITIAL, maximum: MAXIMUM });
  #words = this.#view();
  #running = IDLE;

  constructor() {
    this.#words[BUFFER_POINTER >> 2] = IDLE;
    this.#words[(IDLE >> 2) + COLLECT] = NEVER;
    this.allow(Number.POSITIVE_INFINITY);
  }

  /** Charges allocations to the runtime with this shared buffer from now on; without an argument, to the idle one. */
  run(buffer = IDLE): void {
    if (buffer === this.#running) return;
    this.#running = buffer;
    this.#fresh()[BUFFER_POINTER >> 2] = buffer;
  }

  /** Sets the bytes and the units of native code that may be used while no runtime is running. */
  allow(bytes: number, units = NO_LIMIT): void {
    this.#fresh()[(IDLE >> 2) + BUDGET] = Math.min(bytes, NO_BUDGET);
    this.units = units;
  }

  /** Bytes that were freed, while no runtime was running, since {@link allow} was called without a limit. */
  get given(): number {
    return this.#fresh()[(IDLE >> 2) + BUDGET]! - NO_BUDGET;
  }

  /** A copy of the memory. No call of the engine may be running, here and in {@link restore}. */
  image(): SavedMemory {
    return { image: new MemoryImage(this.wasm.buffer), running: this.#running };
  }

  /**
   * Makes the memory what it was. With `isWhole`, that is every byte; without it, bytes that were not in use then may
   * differ.
   */
  restore({ image, running }: SavedMemory, isWhole: boolean): void {
    if (isWhole) image.restore(this.wasm.buffer);
    else image.writeTo(this.wasm.buffer);
    this.#running = running;
  }

  /** Whether nothing was written below the engine's memory. In WASM, a write through a null pointer does not trap. */
  isLowEndIntact(): boolean {
    const words = new Int32Array(this.wasm.buffer, 0, LOW_END >> 2);
    const buffer = IDLE >> 2;
    return (
      words[BUFFER_POINTER >> 2] === this.#running &&
      words.every(
        (word, at) =>
          word === 0 || at === BUFFER_POINTER >> 2 || at === UNITS >> 2 || (at >= buffer && at < buffer + INTEGERS),
      )
    );
  }

  /** The units that native code may still use; negative if it has used more. */
  get units(): number {
    return this.#fresh()[UNITS >> 2]!;
  }

  set units(units: number) {
    this.#fresh()[UNITS >> 2] = units;
  }

  get size(): number {
    return this.wasm.buffer.byteLength;
  }

  /** Whether the memory has never grown. */
  get hasInitialSize(): boolean {
    return this.size === INITIAL * PAGE;
  }

  /** The words. WASM memory that grows detaches its old views, so they are created again. */
  #fresh(): Int32Array {
    if (this.#words.length === 0) this.#words = this.#view();
    return this.#words;
  }

  #view(): Int32Array {
    return new Int32Array(this.wasm.buffer, 0, (IDLE >> 2) + INTEGERS);
  }
}
