/** A page of WASM memory in bytes. */
export const PAGE = 64 * 1024;
const ZERO = Buffer.alloc(PAGE);

/** What a module's memory held at one time. Most pages of a memory were never written, and an image leaves them out. */
export class MemoryImage {
  /** Pages that do not consist of zeros, by their numbers; consecutive ones are one part. */
  readonly #parts: { readonly first: number; readonly bytes: Uint8Array }[] = [];

  constructor(memory: ArrayBuffer) {
    const bytes = Buffer.from(memory);
    const pages = bytes.length / PAGE;
    for (let first = 0; first < pages; first++) {
      if (isZero(bytes, first)) continue;
      let end = first + 1;
      while (end < pages && !isZero(bytes, end)) end++;
      this.#parts.push({ first, bytes: Uint8Array.prototype.slice.call(bytes, first * PAGE, end * PAGE) });
      first = end;
    }
  }

  /**
   * Writes the pages that the image has, and leaves the others as they are. That is safe only if the others, which were
   * all zeros, held no allocated block and no stack when the image was made.
   */
  writeTo(memory: ArrayBuffer): void {
    const bytes = new Uint8Array(memory);
    for (const { first, bytes: held } of this.#parts) bytes.set(held, first * PAGE);
  }

  /** Makes every byte of a memory what it was, and 0 those that it did not have yet. */
  restore(memory: ArrayBuffer): void {
    const bytes = Buffer.from(memory);
    const held = new Set(this.#parts.flatMap(({ first, bytes }) => pagesFrom(first, bytes.length / PAGE)));
    for (const page of pagesFrom(0, bytes.length / PAGE))
      if (!held.has(page) && !isZero(bytes, page)) bytes.fill(0, page * PAGE, (page + 1) * PAGE);
    this.writeTo(memory);
  }
}

function isZero(bytes: Buffer, page: number): boolean {
  return bytes.compare(ZERO, 0, PAGE, page * PAGE, (page + 1) * PAGE) === 0;
}

function pagesFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
