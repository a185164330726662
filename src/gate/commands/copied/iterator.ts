import { addressOf } from "../../../sys/libc.js";
import { PAGE } from "../../../sys/memory.js";
import type { Call } from "../../call/call.js";
import { deny } from "../../call/failure.js";
import type { Copy } from "./copy.js";
import type { Held } from "./held.js";
import { NOTHING_RESOLVED, type Resolved, type Target } from "./target.js";

/** link_create.iter_info, a pointer to union bpf_iter_link_info, and its length. */
export const ITERATOR_INFO = { iterInfo: 16, iterInfoLen: 24 } as const;
/** The kernel accepts a longer union bpf_iter_link_info up to a page if the rest is zero (bpf_iter_link_attach). */
const MAX_INFO = PAGE;

export const ITERATOR: Target = {
  kind: "iterator",
  by: "nothing",
  fields: [{ is: "in", at: ITERATOR_INFO.iterInfo, length: ITERATOR_INFO.iterInfoLen, most: MAX_INFO }],
  resolve: resolveIterator,
  facts: ({ object }) => ({ name: object?.attachTo ?? null }),
};

/** Offsets in union bpf_iter_link_info: map.map_fd, cgroup.cgroup_fd and task.pid_fd. */
const INFO = { mapFd: 0, cgroupFd: 4, taskPidFd: 8 } as const;

/**
 * Offsets of the fd in union bpf_iter_link_info, by iterator (the names of DEFINE_BPF_ITER_FUNC). Other iterators do
 * not read the union.
 */
const FDS: Readonly<Record<string, number>> = {
  bpf_map_elem: INFO.mapFd,
  bpf_sk_storage_map: INFO.mapFd,
  sockmap: INFO.mapFd,
  cgroup: INFO.cgroupFd,
  task: INFO.taskPidFd,
  task_file: INFO.taskPidFd,
  task_vma: INFO.taskPidFd,
};

/** Replaces the fd in an iterator's parameters by the gate's copy. */
function resolveIterator(call: Call, { attr, bytes, held }: Copy, { attachTo }: Held): Resolved {
  const info = bytes.get(ITERATOR_INFO.iterInfo)?.slice();
  if (info === undefined || info.every((byte) => byte === 0)) return NOTHING_RESOLVED;
  held.push(info);
  attr.setPointer(ITERATOR_INFO.iterInfo, addressOf(info));
  const at = FDS[attachTo ?? ""];
  if (at === undefined) {
    const what = attachTo === null ? "it was not judged here" : `\`${attachTo}\` has none that it knows`;
    return deny("iterator", `the gate does not know these parameters of an iterator: ${what}`);
  }
  if (at + 4 > info.byteLength) return NOTHING_RESOLVED;
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const fd = view.getInt32(at, true);
  if (fd === 0) return NOTHING_RESOLVED;
  if (attachTo?.startsWith("task") && !call.caller.samePids)
    deny(
      "iterator",
      "the task is in another pid namespace than the gate, so process ids in the parameters have another meaning",
    );
  view.setInt32(at, Math.max(-1, call.task.fd(fd)), true);
  return NOTHING_RESOLVED;
}
