import { eventProgram } from "../../sys/bpf-objects.js";
import type { EventPlace } from "../model/places.js";

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
export function eventPlaces(descriptors: readonly EventDescriptor[]): readonly EventPlace[] {
  const places = new Map<string, EventPlace>();
  for (const { pid, fd } of descriptors) {
    const found = eventProgram(pid, fd);
    if (typeof found === "number" || found.program === 0) continue;
    const end = found.name.indexOf(0);
    const name = Buffer.from(end < 0 ? found.name : found.name.subarray(0, end)).toString("utf8") || null;
    const event = EVENTS[found.type] ?? "event";
    const place = { program: found.program, at: "event", event, name, offset: Number(found.offset), pid } as const;
    places.set([place.program, event, name, place.offset, pid].join(" "), place);
  }
  return [...places.values()];
}
