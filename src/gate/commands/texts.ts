import { ERRNO } from "../../errno.js";
import { type Obstacle, tooLarge } from "../call/rules.js";
import type { Task } from "../call/task.js";
import { addressOf } from "../sys/libc.js";
import { PAGE } from "../sys/memory.js";
import type { Memory } from "../threads/blocking-op.js";
import { MAX_PROBES } from "./fields.js";

/** A copy of a task's array of pointers to texts. */
export interface Texts {
  /** Without their NULs. */
  readonly texts: readonly Uint8Array[];
  /** Addresses of the gate's copies, to pass to the kernel. */
  readonly pointers: BigUint64Array;
  readonly held: readonly Memory[];
}

/** KSYM_NAME_LEN of linux/kallsyms.h, without the NUL. */
const MAX_SYMBOL = 511;
/** Maximum number of pages that are copied for one list. */
const MAX_PAGES = 16_384;
const TOO_MANY = tooLarge("a list of symbols on more pages", MAX_PAGES);

/**
 * Copies `count` pointers and the text at each, which ends with a NUL. Each page of the task is read only once, so a
 * list of 50,000 symbols, which libbpf creates from a pattern, takes some hundreds of system calls. On failure returns
 * the negative errno that the kernel would return.
 */
export function copyTexts(task: Task, address: bigint, count: number): Texts | Obstacle | number {
  if (count > MAX_PROBES) return -ERRNO.E2BIG;
  const given = task.read(address, count * 8);
  if (given === null) return -ERRNO.EFAULT;
  const pointers = new BigUint64Array(given.buffer, given.byteOffset, count);
  const pages = new Pages(task);
  const missing = pages.fetch(pointers);
  if (missing !== 0) return missing;
  const texts: Uint8Array[] = [];
  const offsets: number[] = [];
  let length = 0;
  for (const pointer of pointers) {
    const text = pages.text(pointer, MAX_SYMBOL);
    if (!(text instanceof Uint8Array)) return text;
    texts.push(text);
    offsets.push(length);
    length += text.byteLength + 1;
  }
  const all = new Uint8Array(Math.max(1, length));
  for (const [index, text] of texts.entries()) all.set(text, offsets[index]);
  const start = addressOf(all);
  const copies = BigUint64Array.from(offsets, (offset) => BigInt(start + offset));
  return { texts, pointers: copies, held: [all, copies] };
}

/** Pages of a task, each copied when it is first needed. */
class Pages {
  readonly #known = new Map<bigint, Uint8Array>();

  constructor(private readonly task: Task) {}

  /**
   * Fetches the pages in which texts begin, all at once. Returns 0, an obstacle if there are too many, or an errno if
   * one is not mapped.
   */
  fetch(pointers: Iterable<bigint>): Obstacle | number {
    const wanted = new Set<bigint>();
    for (const pointer of pointers) wanted.add(pointer - (pointer & BigInt(PAGE - 1)));
    if (wanted.size > MAX_PAGES) return TOO_MANY;
    const addresses = [...wanted];
    for (const [index, page] of this.task.readPages(addresses).entries()) {
      if (page === null) return -ERRNO.EFAULT;
      this.#known.set(addresses[index]!, page);
    }
    return 0;
  }

  /**
   * Returns a text without its NUL; E2BIG if it is longer than `limit`, or an obstacle if too many pages have been
   * read.
   */
  text(address: bigint, limit: number): Uint8Array | Obstacle | number {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= limit) {
      const at = address + BigInt(length);
      const offset = Number(at & BigInt(PAGE - 1));
      const page = this.#page(at - BigInt(offset));
      if (!(page instanceof Uint8Array)) return page;
      const end = page.indexOf(0, offset);
      parts.push(page.subarray(offset, end < 0 ? PAGE : end));
      length += (end < 0 ? PAGE : end) - offset;
      if (end >= 0) return length > limit ? -ERRNO.E2BIG : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    }
    return -ERRNO.E2BIG;
  }

  #page(address: bigint): Uint8Array | Obstacle | number {
    let page = this.#known.get(address);
    if (page === undefined) {
      if (this.#known.size >= MAX_PAGES) return TOO_MANY;
      page = this.task.read(address, PAGE) ?? undefined;
      if (page === undefined) return -ERRNO.EFAULT;
      this.#known.set(address, page);
    }
    return page;
  }
}
