import { closeSync, openSync } from "node:fs";
import { bpf, type KernelProgram, programInfo } from "./bpf.js";
import { addressOf, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const PROG_GET_FD_BY_ID = 13;

/** What the kernel reports about the program with an id; a negative errno if there is none. */
export function programReportById(id: number): KernelProgram | number {
  const fd = bpf(PROG_GET_FD_BY_ID, new Uint8Array(Uint32Array.of(id, 0, 0).buffer));
  if (fd < 0) return fd;
  const report = programInfo(fd);
  syscall(NR.close, fd);
  return report;
}

const PROG_LOAD = 5;
/** BPF_PROG_TYPE_SOCKET_FILTER. */
const SOCKET_FILTER = 1;

/**
 * Loads a socket filter and closes it at once. Returns 0, or the negative errno of the load. struct bpf_attr: prog_type
 * 0 · insn_cnt 4 · insns 8 · license 16.
 */
export function tryToLoad(insns: Uint8Array): number {
  const license = Buffer.from("GPL\0");
  const attr = new DataView(new ArrayBuffer(72));
  attr.setUint32(0, SOCKET_FILTER, true);
  attr.setUint32(4, insns.byteLength / 8, true);
  attr.setBigUint64(8, BigInt(addressOf(insns)), true);
  attr.setBigUint64(16, BigInt(addressOf(license)), true);
  const fd = bpf(PROG_LOAD, keepAlive(new Uint8Array(attr.buffer), insns, license));
  if (fd >= 0) syscall(NR.close, fd);
  return Math.min(fd, 0);
}

const PROG_QUERY = 16;
/** BPF_LSM_CGROUP of linux/bpf.h. */
const LSM_CGROUP = 43;

/**
 * How many LSM programs are attached to the root cgroup; null if it cannot be asked. struct bpf_attr: target_fd 0 ·
 * attach_type 4 · prog_ids 16 · prog_cnt 24. Without room for ids, the kernel only counts.
 */
export function lsmCgroupPrograms(mount = "/sys/fs/cgroup"): number | null {
  let fd: number;
  try {
    fd = openSync(mount, "r");
  } catch {
    return null;
  }
  try {
    const attr = new Uint32Array(16);
    attr.set([fd, LSM_CGROUP]);
    return bpf(PROG_QUERY, new Uint8Array(attr.buffer)) < 0 ? null : attr[6]!;
  } finally {
    closeSync(fd);
  }
}
