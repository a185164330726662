/** Bytes of a WASM page. */
const PAGE = 64 * 1024;
/** What the engines' modules ask for at least, and at most: 16 MiB and 2 GiB. */
const INITIAL = 256;
const MAXIMUM = 32768;
/** How often emscripten asks for one allocation's sake: each time for less on top of what it needs (`cutDown` in its loader). */
const ATTEMPTS = 3;

/**
 * A module's linear memory, which grows only as far as it may. QuickJS's own limit does not bound a policy's memory in WASM: it
 * cannot ask there how large a block is (`malloc_usable_size unavailable`), so it counts 8 bytes for each one. What is
 * refused here is an allocation that fails: the guest's out of memory.
 */
export class GuestMemory {
  readonly wasm = new WebAssembly.Memory({ initial: INITIAL, maximum: MAXIMUM });
  /** Bytes that it may grow to. */
  #ceiling = Number.POSITIVE_INFINITY;
  #refusals = 0;

  constructor() {
    const { wasm } = this;
    const grow = wasm.grow.bind(wasm);
    // emscripten's loader grows memory through this method alone, and takes what it throws for a refusal
    wasm.grow = (pages: number) => {
      if (this.size + pages * PAGE > this.#ceiling) {
        this.#refusals += 1;
        throw new RangeError("the guest may not have more memory");
      }
      if (!this.refused) this.#refusals = 0;
      return grow(pages);
    };
  }

  /** From now on it may grow by so many bytes. */
  allow(bytes: number): void {
    this.#ceiling = this.size + bytes;
    this.#refusals = 0;
  }

  /** Whether an allocation has failed since then, whatever the guest made of it. */
  get refused(): boolean {
    return this.#refusals >= ATTEMPTS;
  }

  get size(): number {
    return this.wasm.buffer.byteLength;
  }
}
