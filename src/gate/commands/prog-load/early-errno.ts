import { CALL_SRC, INSN_SIZE, LD_SRC, MAX_FUNCTIONS, MAX_INSNS, OP } from "../../../bpf/insn/insn.js";
import { CMD } from "../../../bpf/model/commands.js";
import { ERRNO } from "../../../errno.js";
import { namespaceScopeOf } from "../../../sys/credentials.js";
import { addressOf } from "../../../sys/libc.js";
import { bpfAsTask } from "../../call/as-task.js";
import { Attr, FLAG, LOAD } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { failWith } from "../../call/failure.js";
import type { Memory } from "../../task/blocking/blocking-op.js";
import { type LiveLoad, POINTERS } from "./live-load.js";

/**
 * Errnos of loads that the kernel rejects independently of what their instructions do. Such a load needs no analysis,
 * and no policy is asked about it. The gate gets the errno from the kernel, by a load that is made with the task's
 * identity and cannot succeed.
 */

/**
 * Fails with the errno of the checks that the kernel makes before it copies the instructions (bpf_prog_load of
 * kernel/bpf/syscall.c): flags, and for a task without CAP_BPF the capabilities and BPF_MAXINSNS. If these checks pass,
 * the kernel fails with EFAULT, because the attr has no instructions, and the call goes on. It also goes on at an errno
 * that may be caused by fds, since the attr does not have the task's fds yet. The kernel checks the number of
 * instructions before the fds, so if that is out of range, every errno except EFAULT counts.
 */
export function failBeforeCopy(call: Call, given: Attr): void {
  if (given.u32(LOAD.progFlags) & FLAG.tokenFd) return;
  const attr = new Attr(given.size, LOAD.size, given.bytes);
  for (const pointer of POINTERS) attr.clearPointer(pointer);
  for (const fd of [LOAD.progBtfFd, LOAD.attachFd]) attr.setU32(fd, 0);
  const errno = attempt(call, attr, []);
  if (errno === 0 || (isCountInRange(given) ? !BEFORE_FDS.has(errno) : errno === ERRNO.EFAULT)) return;
  failWith(errno);
}

/** Errnos that no fd causes. */
const BEFORE_FDS: ReadonlySet<number> = new Set([ERRNO.EPERM, ERRNO.E2BIG]);

/** Whether the number of instructions is within the kernel's limit for privileged tasks. */
export function isCountInRange(given: Attr): boolean {
  const count = given.u32(LOAD.insnCount);
  return count > 0 && count <= MAX_INSNS;
}

/** Like {@link failBeforeCopy}, but with the task's fds, so every errno except EFAULT counts. */
export function failBeforeInsns(call: Call, load: LiveLoad): void {
  const attr = new Attr(load.attr.size, LOAD.size, load.attr.bytes);
  attr.clearPointer(LOAD.insns);
  const errno = attempt(call, attr, load.held);
  if (errno !== 0 && errno !== ERRNO.EFAULT) failWith(errno);
}

/**
 * Makes the load with a valid license: kernel versions check the license before or after the other fields, and it must
 * not cause the errno. Returns the errno as a positive number, or 0.
 */
export function attempt(call: Call, attr: Attr, held: readonly Memory[]): number {
  attr.setPointer(LOAD.license, addressOf(LICENSE));
  const namespaces = namespaceScopeOf(attr.u32(LOAD.progIfindex));
  const result = bpfAsTask(call, CMD.BPF_PROG_LOAD, attr.bytes, [...held, LICENSE], namespaces);
  return result < 0 ? -result : 0;
}

const LICENSE = Buffer.from("GPL\0");

/**
 * Returns E2BIG for a program with more functions than the kernel accepts (add_subprog of kernel/bpf/verifier.c), and
 * null for any other. With E2BIG the verifier's log is in `load.log`. The load cannot succeed, because its last
 * instruction is replaced so that control runs past the end of the program: a kernel that accepts more functions
 * rejects it for that (check_subprogs).
 */
export function errnoOfFunctions(call: Call, load: LiveLoad): number | null {
  if (!hasTooManyFunctions(load.insns)) return null;
  const { attr, held } = load;
  const address = attr.u64(LOAD.insns);
  const insns = held.find((bytes) => bytes.byteLength > 0 && BigInt(addressOf(bytes)) === address)!;
  const endless = Buffer.concat([insns.subarray(0, -INSN_SIZE), MOVE]);
  attr.setPointer(LOAD.insns, addressOf(endless));
  try {
    const namespaces = namespaceScopeOf(attr.u32(LOAD.progIfindex));
    const errno = bpfAsTask(call, CMD.BPF_PROG_LOAD, attr.bytes, [...held, endless], namespaces);
    return errno === -ERRNO.E2BIG ? errno : null;
  } finally {
    attr.setU64(LOAD.insns, address);
  }
}

/** `r0 = 0` */
const MOVE = Buffer.from("b700000000000000", "hex");

/**
 * Whether calls and callbacks name more functions than the kernel accepts. The last instruction is not counted, because
 * {@link errnoOfFunctions} replaces it.
 */
export function hasTooManyFunctions(insns: Uint8Array): boolean {
  const count = insns.byteLength / INSN_SIZE;
  if (count <= MAX_FUNCTIONS) return false;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const starts = new Uint8Array(count);
  starts[0] = 1;
  let functions = 1;
  for (let slot = 0; slot < count - 1; slot++) {
    const opcode = insns[slot * INSN_SIZE];
    if (opcode !== OP.CALL && opcode !== OP.LD_IMM64) continue;
    const source = insns[slot * INSN_SIZE + 1]! >> 4;
    if (source === (opcode === OP.CALL ? CALL_SRC.SUBPROGRAM : LD_SRC.FUNC)) {
      const target = slot + 1 + view.getInt32(slot * INSN_SIZE + 4, true);
      if (target >= 0 && target < count && starts[target] === 0) {
        starts[target] = 1;
        functions += 1;
        if (functions > MAX_FUNCTIONS) return true;
      }
    }
    if (opcode === OP.LD_IMM64) slot += 1;
  }
  return false;
}
