import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { ERRNO } from "../../errno.js";
import { type Attr, FLAG } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { isObstacle, type Obstacle } from "../call/rules.js";
import { addressOf } from "../sys/libc.js";
import { processFrom } from "../sys/pidfd.js";
import type { Copy } from "./copy.js";
import { type Field, PATH_MAX } from "./fields.js";
import { type Held, heldBy } from "./held.js";
import { openNewName, openOwnExecutable, openPlace, Place } from "./place.js";
import { attachTargetOf, ITERATOR_FDS, type Target, targetOf } from "./targets.js";

/** The fields of one call in addition to those of its command, and the values to resolve before the decision. */
export interface Plan {
  readonly fields: readonly Field[];
  /** Offsets of words that {@link resolve} handles. */
  readonly handledOffsets: readonly number[];
  readonly target: Target | null;
  /** Whether the kernel executes the call in the task, and so reads the task's memory again after the decision. */
  readonly left?: boolean;
  /** Completes the copy's attr with values that {@link Field} cannot describe. */
  readonly resolve: (copy: Copy) => Resolved | Obstacle | number;
}

/** The path and the process id that the command names. */
export interface Resolved {
  readonly path?: string;
  readonly pid?: number;
}

/**
 * Plans by command number. A command without a row needs only the fields of its layout. A plan function returns a
 * negative errno if the kernel would reject the call with it.
 */
export const PLANS: Readonly<Record<number, (call: Call, given: Attr) => Plan | Obstacle | number>> = {
  6: pin,
  8: attachment,
  9: attachment,
  10: (call, given) => {
    const object = objectAt(call, given, 0);
    if (typeof object === "number") return object;
    if (object.programType !== SYSCALL) return PLAIN;
    return call.settings.loaderRuns === "ask"
      ? { ...PLAIN, left: true }
      : { rule: "loader_run", reason: `${OWN_FDS} (gate.loader_runs)` };
  },
  18: (_, given) => (given.u32(32) & FLAG.tokenFd ? { rule: "token", reason: TOKEN } : PLAIN),
  17: (call, given) => {
    const object = objectAt(call, given, 8);
    if (typeof object === "number") return object;
    return { ...PLAIN, target: { kind: "tracepoint", by: "nothing", fields: [] } };
  },
  28: link,
  29: () => ({ ...PLAIN, target: { kind: "link", by: "nothing", fields: [] } }),
};

const NOTHING_RESOLVED: Resolved = {};
export const PLAIN: Plan = { fields: [], handledOffsets: [], target: null, resolve: () => NOTHING_RESOLVED };

/** BPF_PROG_TYPE_SYSCALL. */
const SYSCALL = 31;
const OWN_FDS = "what a program that calls bpf(2) makes would be the gate's and not the task's";
const TOKEN = "a BPF token belongs to a user namespace that the gate cannot enter for the task";
const ENAMETOOLONG = 36;

function unknownType(type: number): Obstacle {
  const name = ATTACH_TYPES[type] ?? type;
  return { rule: "attach_type", reason: `the gate does not know the target of attach type ${name}` };
}

/**
 * Returns the object of the fd at an offset, or the kernel's errno if there is none. Used for commands for which the
 * kernel checks the fd before it reads the memory that attr points to.
 */
function objectAt(call: Call, given: Attr, at: number): Held | number {
  const fd = call.task.fd(given.s32(at));
  return fd < 0 ? fd : (heldBy(call, fd) ?? -ERRNO.EINVAL);
}

/** BPF_PROG_ATTACH and BPF_PROG_DETACH. */
function attachment(_: Call, given: Attr): Plan | Obstacle {
  const type = given.u32(8);
  const target = attachTargetOf(type);
  return target === null ? unknownType(type) : { ...PLAIN, target, fields: targetField(target, 0) };
}

function targetField({ by }: Target, at: number): readonly Field[] {
  if (by === "nothing") return [];
  if (by === "number") return [{ is: "value", at }];
  return [{ is: "fd", at, role: "target", ...(by === "fd or none" ? { none: "zero" as const } : {}) }];
}

function pin(call: Call, given: Attr): Plan | number {
  if (typeof objectAt(call, given, 8) === "number") return -ERRNO.EINVAL; // the kernel returns EINVAL for a closed fd as well (bpf_fd_probe_obj)
  const path = call.task.readString(given.u64(0), PATH_MAX);
  if (path === null) return -ERRNO.EFAULT;
  if (path.byteLength === PATH_MAX) return -ENAMETOOLONG;
  const byFd = (given.u32(12) & FLAG.pathFd) !== 0;
  if (!byFd && given.s32(16) !== 0) return -ERRNO.EINVAL;
  return {
    ...PLAIN,
    handledOffsets: [0, 4, 16],
    resolve: ({ attr, held }) => {
      const directory = byFd && given.s32(16) >= 0 ? call.task.fd(given.s32(16)) : undefined;
      const made = openNewName(call, path, directory);
      if (typeof made === "number" || isObstacle(made)) return made;
      const { folder, name } = made;
      const there = folder.name(name);
      held.push(there);
      attr.setPointer(0, addressOf(there));
      attr.setU32(12, given.u32(12) & ~FLAG.pathFd);
      return { path: `${folder.path === "/" ? "" : folder.path}/${name}` };
    },
  };
}

function link(call: Call, given: Attr): Plan | Obstacle | number {
  const object = objectAt(call, given, 0);
  if (typeof object === "number") return object;
  const type = given.u32(8);
  const target = targetOf(type, object.programType);
  if (target === null) return unknownType(type);
  const fields = [...targetField(target, 4), ...target.fields];
  if (target.kind === "uprobes")
    return { fields, target, handledOffsets: [16, 20], resolve: (copy) => resolveUprobes(call, copy) };
  if (target.kind === "iterator")
    return { fields, target, handledOffsets: [], resolve: (copy) => resolveIterator(call, copy, object) };
  return { ...PLAIN, fields, target };
}

/** Resolves the file and the process of a uprobe link: path 16 · pid 56. */
function resolveUprobes(call: Call, { given, attr, held }: Copy): Resolved | Obstacle | number {
  if (given.u64(16) === 0n) return -ERRNO.EINVAL;
  const path = call.task.readString(given.u64(16), PATH_MAX);
  if (path === null) return -ERRNO.EFAULT;
  const own = Buffer.from(path).toString("latin1") === "/proc/self/exe";
  const place = path.byteLength === PATH_MAX ? -ERRNO.EINVAL : own ? openOwnExecutable(call) : openPlace(call, path);
  if (!(place instanceof Place)) return place;
  const there = place.name();
  held.push(there);
  attr.setPointer(16, addressOf(there));
  const pid = given.s32(56) <= 0 || call.caller.samePids ? given.s32(56) : processFrom(call.task.tid, given.s32(56));
  if (pid < 0) return -ERRNO.ESRCH;
  attr.setU32(56, pid);
  return { path: place.path, pid };
}

/** Replaces the fd in an iterator's parameters by the gate's copy. */
function resolveIterator(call: Call, { attr, bytes, held }: Copy, { attachTo }: Held): Resolved | Obstacle {
  const info = bytes.get(16)?.slice();
  if (info === undefined || info.every((byte) => byte === 0)) return NOTHING_RESOLVED;
  held.push(info);
  attr.setPointer(16, addressOf(info));
  const at = ITERATOR_FDS[attachTo ?? ""];
  if (at === undefined) {
    const what = attachTo === null ? "it was not judged here" : `\`${attachTo}\` has none that it knows`;
    return { rule: "iterator", reason: `the gate does not know these parameters of an iterator: ${what}` };
  }
  if (at + 4 > info.byteLength) return NOTHING_RESOLVED;
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const fd = view.getInt32(at, true);
  if (fd === 0) return NOTHING_RESOLVED;
  if (attachTo?.startsWith("task") && !call.caller.samePids)
    return {
      rule: "iterator",
      reason:
        "the task is in another pid namespace than the gate, so process ids in the parameters have another meaning",
    };
  view.setInt32(at, Math.max(-1, call.task.fd(fd)), true);
  return NOTHING_RESOLVED;
}
