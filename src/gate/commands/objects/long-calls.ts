import type { MapSubject } from "../../../hooks/subject.js";
import { type Attr, LOAD } from "../../call/attr.js";
import { memoryOf } from "./create.js";

/**
 * A program with more instructions than this is large. The kernel takes 0.3 µs for each instruction without branches,
 * so 1.2 ms for this number, and up to 100 times as long with branches (measured on Linux 6.18). 4,096 is BPF_MAXINSNS.
 */
export const LARGE = 4096;

/**
 * What the kernel takes to create a map, in nanoseconds: for each byte of its memory, which it clears; for each
 * element; and for each element that every CPU has a copy of, which it allocates one by one (measured on Linux 6.18).
 */
const MAP_NS = { byte: 0.1, element: 20, perCpuElement: 750 } as const;
/**
 * A map that takes longer than this many nanoseconds is large. To have another thread create it takes 1 ms, and 50 ms
 * if that thread has to be started first, which tools with a map of 80 MB (7 ms) would wait for at their start.
 */
const LARGE_MAP = 10_000_000;

/**
 * Whether the kernel may take many milliseconds for a BPF_PROG_LOAD with this attr. Another thread makes such a call,
 * so that no other call waits for it. Commands that are copied have this in `commands/copied-commands.ts`.
 */
export function isLongLoad(attr: Attr): boolean {
  return attr.u32(LOAD.insnCount) > LARGE;
}

/** The same for the BPF_MAP_CREATE of a map. */
export function isLongCreate(map: MapSubject): boolean {
  return creationTime(map) > LARGE_MAP;
}

/** Nanoseconds that the kernel takes to create a map, roughly. */
function creationTime(map: MapSubject): number {
  const perElement = MAP_NS[map.memory_per_cpu === 0 ? "element" : "perCpuElement"];
  return memoryOf(map) * MAP_NS.byte + map.max_entries * perElement;
}
