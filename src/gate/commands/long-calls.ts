import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { type Attr, LOAD } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { memoryOf } from "./create.js";

/**
 * A program with more instructions than this is large. The kernel takes 0.3 µs for each instruction without branches,
 * so 1.2 ms for this number, and up to 100 times as long with branches (measured on Linux 6.18). 4,096 is BPF_MAXINSNS.
 */
export const LARGE = 4096;

/**
 * Size of a large map in bytes, estimated for 64 CPUs. The kernel allocates all elements at once, which takes 10 ms for
 * a hash of this size.
 */
const LARGE_MAP = 16 * 2 ** 20;
/** Size of large BTF in bytes. The kernel takes 15 to 30 ns for each byte. */
const LARGE_BTF = 64 * 2 ** 10;
/** A link with more functions or offsets than this is large. */
const MANY_PROBES = 64;

/**
 * Offsets in the attr of BPF_LINK_CREATE: of the attach type, and of the number of functions or offsets, by attach
 * type.
 */
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
 * Another thread makes such a call, so that no other call waits for it.
 */
const LONG: Readonly<Record<string, IsLong>> = {
  BPF_PROG_LOAD: (attr) => attr.u32(LOAD.insnCount) > LARGE,
  BPF_MAP_CREATE: (attr) => memoryOf(attr) > LARGE_MAP,
  BPF_BTF_LOAD: (attr) => attr.u32(16) > LARGE_BTF,
  // even a single run of a program can take any time
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
 * Moves the rest of the call to another thread if the kernel may take long for the command. Call this when attr has
 * been copied, and before anything else is.
 */
export function admitIfLong(call: Call, name: string, attr: Attr): void {
  if (isLongCommand(name, attr)) call.task.admit();
}
