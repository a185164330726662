/** Bytes of a WASM page. */
const PAGE = 64 * 1024;
/** What the engines' modules ask for at least, and at most: 16 MiB and 2 GiB. */
const INITIAL = 256;
const MAXIMUM = 32768;

/**
 * A module's linear memory, which grows only as far as it may. QuickJS's own limit does not bound a policy's memory in WASM: it
 * cannot ask there how large a block is (`malloc_usable_size unavailable`), so it refuses a block that is larger than the
 * limit and counts 8 bytes for each other one. What is refused here is an allocation that fails: the guest's out of memory.
 */
export class GuestMemory {
  readonly wasm = new WebAssembly.Memory({ initial: INITIAL, maximum: MAXIMUM });
  /** Bytes that it may grow to. */
  ceiling = Number.POSITIVE_INFINITY;

  constructor() {
    const { wasm } = this;
    const grow = wasm.grow.bind(wasm);
    // emscripten's loader grows memory through this method alone, and takes what it throws for a refusal
    wasm.grow = (pages: number) => {
      if (this.size + pages * PAGE > this.ceiling) throw new RangeError("the guest may not have more memory");
      return grow(pages);
    };
  }

  get size(): number {
    return this.wasm.buffer.byteLength;
  }
}
