import { ERRNO } from "../../../errno.js";
import type { MapSubject } from "../../../hooks/subject.js";
import { addressOf } from "../../../sys/libc.js";
import { Attr, CREATE } from "../../call/attr.js";
import { failWith } from "../../call/failure.js";
import type { Task } from "../../task/task.js";

/** A complete copy of a BPF_MAP_CREATE. */
export interface LiveCreate {
  readonly given: Attr;
  /** The attr that the gate passes to the kernel, with the gate's pointers and fds. */
  readonly attr: Attr;
  readonly held: readonly Uint8Array[];
  /** Upper estimate of the map's memory in bytes, computed from its attr. */
  readonly memory: number;
}

/** Size of a SHA-256, the only size of `excl_prog_hash` that the kernel accepts (kernel/bpf/syscall.c). */
const HASH_SIZE = 32;

/**
 * Copies a BPF_MAP_CREATE once and builds the attr that the gate passes to the kernel. `subject`: the map that `given`
 * describes. Throws a CallFailure with the kernel's errno.
 */
export function copyCreate(task: Task, given: Attr, subject: MapSubject): LiveCreate {
  const attr = new Attr(given.size, CREATE.size);
  attr.bytes.set(given.bytes);
  const held: Uint8Array[] = [];
  const hash = given.u64(CREATE.exclusiveHash);
  if (hash !== 0n) {
    if (given.u32(CREATE.exclusiveHashSize) !== HASH_SIZE) failWith(ERRNO.EINVAL);
    const bytes = task.read(hash, HASH_SIZE) ?? failWith(ERRNO.EFAULT);
    held.push(bytes);
    attr.setPointer(CREATE.exclusiveHash, addressOf(bytes));
  }
  for (const offset of [CREATE.innerMapFd, CREATE.btfFd, ...valueObject(given)]) {
    const fd = given.u32(offset);
    if (fd !== 0 || readsFdZero(given, offset)) attr.setU32(offset, task.fd(fd) >>> 0);
  }
  return { given, attr, held, memory: memoryOf(subject) };
}

/**
 * BPF_MAP_TYPE_ARRAY_OF_MAPS and BPF_MAP_TYPE_HASH_OF_MAPS. For these types inner_map_fd 0 is an fd too, and not
 * "none".
 */
export const OUTER: ReadonlySet<number> = new Set([12, 13]);

/** Whether the kernel takes 0 in this field for an fd, and not for none (map_create of kernel/bpf/syscall.c). */
function readsFdZero(given: Attr, offset: number): boolean {
  if (offset === CREATE.innerMapFd) return OUTER.has(given.u32(CREATE.mapType));
  return offset === CREATE.btfFd && (given.u32(CREATE.btfKeyTypeId) !== 0 || given.u32(CREATE.btfValueTypeId) !== 0);
}

/** BPF_F_VTYPE_BTF_OBJ_FD of linux/bpf.h. */
const VTYPE_BTF_OBJ_FD = 1 << 15;

function valueObject(given: Attr): readonly number[] {
  return given.u32(CREATE.mapFlags) & VTYPE_BTF_OBJ_FD ? [CREATE.btfValueObjectFd] : [];
}

/** Assumed number of CPUs, which is high because the estimate is compared with a quota. */
const CPUS = 64;

/** Returns an upper estimate of a map's memory in bytes. */
export function memoryOf({ memory, memory_per_cpu }: MapSubject): number {
  return memory + CPUS * memory_per_cpu;
}
