import { ERRNO } from "../../../errno.js";
import { addressOf } from "../../../sys/libc.js";
import { Attr, LOAD } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { attempt } from "./early-errno.js";
import type { LiveLoad } from "./live-load.js";
import { copyRecords, hasDebugInfo } from "./load-records.js";

/**
 * Adds core_relos to the copy of a load that has neither func_info nor line_info, if the kernel applies them there.
 * Linux 7.3 does (bpf_prepare_btf_info of kernel/bpf/check_btf.c), and older kernels ignore them (check_btf_info of
 * kernel/bpf/verifier.c). What the kernel applies is decided on: the values of relocated instructions are unknown then,
 * and a statement is compared with the instructions before relocation.
 *
 * Without this, a load has no pointer to core_relos, so that a kernel that reads them fails with EFAULT.
 */
export function withLoneRelocations(call: Call, load: LiveLoad): LiveLoad {
  const { given, attr } = load;
  if (given.u32(LOAD.coreReloCount) === 0 || hasDebugInfo(given)) return load;
  const { tickets, agent } = call.settings;
  const isSealed = tickets || agent; // the guard denies all loads with core_relos
  if (isSealed || !areApplied(call, load)) return load;
  const coreRelos = copyRecords(call.task, given, "coreRelos");
  attr.setPointer(LOAD.coreRelos, addressOf(coreRelos));
  // copyLoad takes 0 for no BTF, but here it is the task's fd 0
  attr.setU32(LOAD.progBtfFd, call.task.fd(given.u32(LOAD.progBtfFd)) >>> 0);
  call.requireCaller();
  return { ...load, coreRelos, held: [...load.held, coreRelos] };
}

/**
 * Asks the kernel whether it reads core_relos alone, by a load with the task's identity that cannot succeed: its only
 * instruction is not an exit. A kernel that reads them first gets the load's BTF from prog_btf_fd, here -1, and returns
 * EBADF. Any other kernel returns EINVAL for the instruction. If the kernel rejects the load for another field before
 * that, it also rejects the load that the gate makes afterwards.
 */
function areApplied(call: Call, { attr, held }: LiveLoad): boolean {
  const probe = new Attr(attr.size, LOAD.size, attr.bytes);
  probe.setU32(LOAD.insnCount, 1);
  probe.setPointer(LOAD.insns, addressOf(NO_EXIT));
  probe.setU32(LOAD.progBtfFd, -1 >>> 0);
  for (const pointer of [LOAD.logBuf, LOAD.signature]) probe.clearPointer(pointer);
  for (const field of [LOAD.logLevel, LOAD.logSize, LOAD.signatureSize, LOAD.keyringId]) probe.setU32(field, 0);
  return attempt(call, probe, [...held, NO_EXIT]) === ERRNO.EBADF;
}

/** `r0 = 0` */
const NO_EXIT = Buffer.from("b700000000000000", "hex");
