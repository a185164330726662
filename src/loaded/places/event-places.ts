import { eventProgram } from "../../sys/bpf-objects.js";
import type { EventPlace } from "../model/places.js";
import type { Reads } from "../reads/reads.js";
import { structureRead } from "../reads/values.js";

/** A descriptor of a perf event. */
export interface EventDescriptor {
  readonly pid: number;
  readonly fd: number;
}

/** By enum bpf_task_fd_type of linux/bpf.h. */
const EVENTS = ["raw_tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe"];

/**
 * The programs of perf events that processes have. The kernel does not tell of those whose event is no tracepoint or
 * probe. A process with an event for each processor has the place once.
 */
export function eventPlaces(reads: Reads, descriptors: readonly EventDescriptor[]): readonly EventPlace[] {
  const places = new Map<string, EventPlace>();
  for (const { pid, fd } of descriptors) {
    const found = structureRead(reads, `proc/${pid}/fd/${fd}/@program`, HEADER, () => eventRecord(pid, fd));
    if (typeof found === "number") continue;
    const program = found.getUint32(0, true);
    if (program === 0) continue;
    const text = Buffer.from(found.buffer, found.byteOffset + HEADER, found.byteLength - HEADER);
    const name = text.toString("utf8") || null;
    const event = EVENTS[found.getUint32(4, true)] ?? "event";
    const place = { program, at: "event", event, name, offset: Number(found.getBigUint64(8, true)), pid } as const;
    places.set([program, event, name, place.offset, pid].join(" "), place);
  }
  return [...places.values()];
}

/** The bytes of a record before the name. */
const HEADER = 16;

/** The program of an event as bytes: its id u32 0 · the type of the event u32 4 · its offset u64 8 · its name. */
function eventRecord(pid: number, fd: number): Uint8Array | number {
  const found = eventProgram(pid, fd);
  if (typeof found === "number") return found;
  const end = found.name.indexOf(0);
  const name = end < 0 ? found.name : found.name.subarray(0, end);
  const record = Buffer.alloc(HEADER + name.byteLength);
  record.writeUInt32LE(found.program, 0);
  record.writeUInt32LE(found.type, 4);
  record.writeBigUInt64LE(found.offset, 8);
  record.set(name, HEADER);
  return record;
}
