import { ERRNO } from "../../../errno.js";
import { addressOf } from "../../../sys/libc.js";
import { PAGE } from "../../../sys/memory.js";
import { denyTooLarge, failWith } from "../../call/failure.js";
import type { Memory } from "../../task/blocking/blocking-op.js";
import type { Task } from "../../task/task.js";
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

/**
 * Copies `count` pointers and the text at each, which ends with a NUL. Each page of the task is read only once, so a
 * list of 50,000 symbols, which libbpf creates from a pattern, takes some hundreds of system calls. Returns null if
 * there are more than the kernel accepts, or some cannot be read.
 */
export function copyTexts(task: Task, address: bigint, count: number): Texts | null {
  if (count > MAX_PROBES) return null;
  const given = task.read(address, count * 8);
  if (given === null) return null;
  const pointers = new BigUint64Array(given.buffer, given.byteOffset, count);
  const pages = new Pages(task);
  if (!pages.fetch(pointers)) return null;
  const texts: Uint8Array[] = [];
  const offsets: number[] = [];
  let length = 0;
  for (const pointer of pointers) {
    const text = pages.text(pointer, MAX_SYMBOL);
    if (text === null) return null;
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

/** A text of the task as a string, one character for each byte. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function denyTooManyPages(): never {
  return denyTooLarge("a list of symbols on more pages", MAX_PAGES);
}

/** Pages of a task, each copied when it is first needed. */
class Pages {
  readonly #known = new Map<bigint, Uint8Array>();

  constructor(private readonly task: Task) {}

  /**
   * Fetches the pages in which texts begin, all at once. Denies the call if there are too many; returns false if one is
   * not mapped.
   */
  fetch(pointers: Iterable<bigint>): boolean {
    const wanted = new Set<bigint>();
    for (const pointer of pointers) wanted.add(pointer - (pointer & BigInt(PAGE - 1)));
    if (wanted.size > MAX_PAGES) denyTooManyPages();
    const addresses = [...wanted];
    for (const [index, page] of this.task.readPages(addresses).entries()) {
      if (page === null) return false;
      this.#known.set(addresses[index]!, page);
    }
    return true;
  }

  /**
   * Returns a text without its NUL; null if it cannot be read. Fails with E2BIG if it is longer than `limit`; denies
   * the call if too many pages have been read.
   */
  text(address: bigint, limit: number): Uint8Array | null {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= limit) {
      const at = address + BigInt(length);
      const offset = Number(at & BigInt(PAGE - 1));
      const page = this.#page(at - BigInt(offset));
      if (page === null) return null;
      const end = page.indexOf(0, offset);
      parts.push(page.subarray(offset, end < 0 ? PAGE : end));
      length += (end < 0 ? PAGE : end) - offset;
      if (end < 0) continue;
      if (length > limit) break;
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    }
    return failWith(ERRNO.E2BIG);
  }

  #page(address: bigint): Uint8Array | null {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_PAGES) denyTooManyPages();
    const page = this.task.read(address, PAGE);
    if (page !== null) this.#known.set(address, page);
    return page;
  }
}
