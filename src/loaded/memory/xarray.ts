import type { Btf } from "../../bpf/btf/btf.js";
import type { KernelMemory } from "./kernel-memory.js";
import { memberOffset } from "./structure.js";

/** Byte offsets in the structures of an xarray. */
export interface XarrayLayout {
  readonly head: number;
  readonly shift: number;
  readonly slots: number;
}

/** Where an xarray is, in the kernel's memory. */
export interface Xarray {
  readonly memory: KernelMemory;
  /** The value of `xa_head`. */
  readonly head: bigint;
  readonly layout: XarrayLayout;
}

/** Null if the kernel's types do not have them. */
export function xarrayLayout(types: Btf): XarrayLayout | null {
  const head = memberOffset(types, "xarray", "xa_head");
  const shift = memberOffset(types, "xa_node", "shift");
  const slots = memberOffset(types, "xa_node", "slots");
  return head === null || shift === null || slots === null ? null : { head, shift, slots };
}

/**
 * The xarray that a symbol names, or that is the first member of a structure that it names, such as struct idr; null if
 * it cannot be read.
 */
export function xarrayAt(memory: KernelMemory, address: bigint, layout: XarrayLayout): Xarray | null {
  const head = longAt(memory, address + BigInt(layout.head));
  return head === null ? null : { memory, head, layout };
}

/** XA_CHUNK_SHIFT of linux/xarray.h: a node has 64 slots. */
const SLOT_BITS = 6;
const SLOTS = 2 ** SLOT_BITS;
/** More levels than an index of 32 bits has. */
const LEVELS = 6;

/**
 * The pointer that an xarray (lib/xarray.c) stores at an index; null if there is none. An entry with 2 in its two
 * lowest bits is a node, at the address without them; one with 0 in them is a pointer to what is stored.
 */
export function entryAt({ memory, head, layout }: Xarray, index: number): bigint | null {
  let entry: bigint | null = head;
  for (let level = 0; level < LEVELS; level++) {
    if (entry === null || !isNode(entry)) return null;
    const node: bigint = entry - 2n;
    const shift = shiftOf(memory, node, layout);
    if (shift === null) return null;
    const slot = Math.floor(index / 2 ** shift);
    // a node at the top has only what is below its range
    if (level === 0 && slot >= SLOTS) return null;
    entry = longAt(memory, node + BigInt(layout.slots + (slot % SLOTS) * 8));
    if (shift === 0) return entry === null || !isPointer(entry) ? null : entry;
  }
  return null;
}

/** All pointers that an xarray stores, with their indexes; at most `most`, and null where memory cannot be read. */
export function* entriesOf(
  { memory, head, layout }: Xarray,
  most: number,
): Generator<readonly [index: number, pointer: bigint] | null> {
  let left = most;
  const below = function* (entry: bigint, from: number, above: number): ReturnType<typeof entriesOf> {
    if (!isNode(entry)) return;
    const node = entry - 2n;
    const shift = shiftOf(memory, node, layout);
    // levels get lower, so that a node that was written over meanwhile leads to no circle
    if (shift === null || shift >= above) return yield null;
    const slots = memory.read(node + BigInt(layout.slots), SLOTS * 8);
    if (slots === null) return yield null;
    for (let slot = 0; slot < SLOTS && left > 0; slot++) {
      const next = slots.getBigUint64(slot * 8, true);
      const index = from + slot * 2 ** shift;
      if (shift > 0) yield* below(next, index, shift);
      else if (isPointer(next)) {
        left -= 1;
        yield [index, next];
      }
    }
  };
  if (head !== 0n) yield* below(head, 0, SLOT_BITS * LEVELS);
}

const isNode = (entry: bigint) => (entry & 3n) === 2n && entry > 4096n;
const isPointer = (entry: bigint) => (entry & 3n) === 0n && entry !== 0n;

function shiftOf(memory: KernelMemory, node: bigint, layout: XarrayLayout): number | null {
  const shift = memory.read(node + BigInt(layout.shift), 1)?.getUint8(0);
  return shift === undefined || shift > SLOT_BITS * (LEVELS - 1) || shift % SLOT_BITS !== 0 ? null : shift;
}

/** A little-endian word of 64 bits; null if it cannot be read. */
export function longAt(memory: KernelMemory, address: bigint): bigint | null {
  return memory.read(address, 8)?.getBigUint64(0, true) ?? null;
}
