import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { type Attr, LOAD } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { memoryOf } from "./create.js";

/**
 * Instructions beyond which a program is large. The kernel takes 0.3 µs for each instruction of straight code, so 1.2
 * ms for these, and up to 100 times as long where there are branches (Linux 6.18). 4,096 is BPF_MAXINSNS.
 */
export const LARGE = 4096;

/** Bytes of a map, estimated for 64 CPUs. The kernel makes all elements at once: 10 ms for a hash of this size. */
const LARGE_MAP = 16 * 2 ** 20;
/** Bytes of BTF: 15 to 30 ns for each. */
const LARGE_BTF = 64 * 2 ** 10;
/** Functions or offsets that one link is attached to. */
const MANY_PROBES = 64;

/** Where BPF_LINK_CREATE has its attach type, and how many functions or offsets its program is attached to. */
const ATTACH_TYPE = 8;
const PROBES: Readonly<Record<string, number>> = {
  trace_kprobe_multi: 20,
  trace_kprobe_session: 20,
  trace_uprobe_multi: 48,
};

type IsLong = (attr: Attr) => boolean;
const never: IsLong = () => false;
const always: IsLong = () => true;

/**
 * For each bpf(2) command that the gate makes itself: whether the kernel may take a millisecond or more with this attr.
 * Another thread makes such a call, so that nobody else waits for it.
 */
const LONG: Readonly<Record<string, IsLong>> = {
  BPF_PROG_LOAD: (attr) => attr.u32(LOAD.insnCount) > LARGE,
  BPF_MAP_CREATE: (attr) => memoryOf(attr) > LARGE_MAP,
  BPF_BTF_LOAD: (attr) => attr.u32(16) > LARGE_BTF,
  // a program runs for as long as it likes, even once
  BPF_PROG_TEST_RUN: always,
  BPF_LINK_CREATE: (attr) => {
    const count = PROBES[ATTACH_TYPES[attr.u32(ATTACH_TYPE)] ?? ""];
    return count !== undefined && attr.u32(count) > MANY_PROBES;
  },
  BPF_LINK_UPDATE: never,
  BPF_PROG_ATTACH: never,
  BPF_PROG_DETACH: never,
  BPF_RAW_TRACEPOINT_OPEN: never,
  BPF_OBJ_PIN: never,
  BPF_OBJ_GET: never,
  BPF_PROG_GET_FD_BY_ID: never,
  BPF_MAP_GET_FD_BY_ID: never,
  BPF_LINK_GET_FD_BY_ID: never,
};

/** The commands that the table above decides. */
export const MADE_BY_THE_GATE: readonly string[] = Object.keys(LONG);

export function isLongCommand(name: string, attr: Attr): boolean {
  return (LONG[name] ?? always)(attr);
}

/**
 * Has another thread make what follows of a call where its command may take the kernel long. To be called when attr has
 * been copied, and before anything else is.
 */
export function admitIfLong(call: Call, name: string, attr: Attr): void {
  if (isLongCommand(name, attr)) call.task.admit();
}
