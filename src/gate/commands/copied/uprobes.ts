import { ERRNO } from "../../../errno.js";
import { addressOf } from "../../../sys/libc.js";
import { processFrom } from "../../../sys/pidfd.js";
import { UNREADABLE } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { failWith } from "../../call/failure.js";
import type { Copy } from "./copy.js";
import { counted, PATH_MAX } from "./fields.js";
import type { Held } from "./held.js";
import { openOwnExecutable, openPlace } from "./place.js";
import { MOST_SHOWN, NOTHING_RESOLVED, type Resolved, type Target } from "./target.js";

/** link_create.uprobe_multi. */
export const UPROBE_MULTI = {
  path: 16,
  offsets: 24,
  refCtrOffsets: 32,
  cookies: 40,
  cnt: 48,
  flags: 52,
  pid: 56,
} as const;

const DOT = Buffer.from(".");
const { path: PATH, offsets: OFFSETS, refCtrOffsets, cookies, cnt, flags, pid: PID } = UPROBE_MULTI;

export const UPROBES: Target = {
  kind: "uprobes",
  by: "nothing",
  fields: [
    counted(OFFSETS, cnt),
    counted(refCtrOffsets, cnt),
    counted(cookies, cnt),
    { is: "value", at: flags },
    { is: "value", at: PID },
  ],
  probeCount: cnt,
  handledOffsets: [PATH, PATH + 4],
  resolve: resolveUprobes,
  facts: ({ copy, resolved: { path = null, pid = null } }) => ({ path, pid, offsets: offsetsOf(copy) }),
};

/** BPF_PROG_TYPE_KPROBE, the only type that the kernel attaches to uprobes. */
const KPROBE = 2;

/** Resolves the file and the process of a uprobe link. */
function resolveUprobes(call: Call, { given, attr, held }: Copy, { programType }: Held): Resolved {
  if (!given.points(PATH) || programType !== KPROBE) failWith(ERRNO.EINVAL);
  const path = call.task.readString(given.u64(PATH), PATH_MAX);
  if (path === null) {
    attr.setU64(PATH, UNREADABLE);
    return NOTHING_RESOLVED;
  }
  if (path.byteLength === PATH_MAX) failWith(ERRNO.EINVAL);
  const text = Buffer.from(path).toString("latin1");
  // an empty path is the working directory (kern_path), unlike that of a system call
  const place = text === "/proc/self/exe" ? openOwnExecutable(call) : openPlace(call, text === "" ? DOT : path);
  const there = place.name();
  held.push(there);
  attr.setPointer(PATH, addressOf(there));
  const named = given.s32(PID);
  const pid = named <= 0 || call.caller.samePids ? named : processFrom(call.task.tid, named);
  if (pid < 0) failWith(ERRNO.ESRCH);
  attr.setU32(PID, pid);
  return { path: place.path, pid };
}

/**
 * Returns the offsets of uprobes in their file; null if there are more than MOST_SHOWN, or one is not a safe integer.
 */
function offsetsOf({ bytes }: Copy): readonly number[] | null {
  const offsets = bytes.get(OFFSETS);
  if (offsets === undefined || offsets.byteLength > 8 * MOST_SHOWN) return null;
  const numbers = Array.from(new BigUint64Array(offsets.buffer, offsets.byteOffset, offsets.byteLength / 8), Number);
  return numbers.every(Number.isSafeInteger) ? numbers : null;
}
