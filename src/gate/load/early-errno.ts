import { CALL_SRC, INSN_SIZE, LD_SRC, MAX_FUNCTIONS, MAX_INSNS, OP } from "../../bpf/insn.js";
import { ERRNO } from "../../errno.js";
import { Attr, FLAG, LOAD } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { CMD } from "../call/command.js";
import { namespaceScopeOf } from "../sys/credentials.js";
import { addressOf } from "../sys/libc.js";
import type { Memory } from "../threads/blocking-op.js";
import { type LiveLoad, POINTERS } from "./load.js";

/**
 * What the kernel answers to loads that it rejects whatever their instructions do: nothing of them needs to be
 * analysed, and no policy is asked. It is the kernel that answers: the gate makes a load that cannot succeed, as the
 * task, and takes the errno.
 */

/**
 * The errno of the checks that the kernel makes before it copies the instructions (bpf_prog_load of
 * kernel/bpf/syscall.c): flags, and for a task without CAP_BPF the capabilities and BPF_MAXINSNS. Without instructions
 * to copy the kernel answers EFAULT after them: null then, and for an errno that may come of fds, which are not the
 * task's yet. They are looked at after the number of instructions, so that any errno counts where that is out of range.
 */
export function errnoBeforeCopy(call: Call, given: Attr): number | null {
  if (given.u32(LOAD.progFlags) & FLAG.tokenFd) return null;
  const attr = new Attr(given.size, LOAD.size, given.bytes);
  for (const pointer of POINTERS) attr.clearPointer(pointer);
  for (const fd of [LOAD.progBtfFd, LOAD.attachFd]) attr.setU32(fd, 0);
  const errno = attempt(call, attr, []);
  if (isCountInRange(given)) return errno === -ERRNO.EPERM || errno === -ERRNO.E2BIG ? errno : null;
  return errno === -ERRNO.EFAULT ? null : errno;
}

/** Whether a program may have so many instructions, by whoever may load most. */
export function isCountInRange(given: Attr): boolean {
  const count = given.u32(LOAD.insnCount);
  return count > 0 && count <= MAX_INSNS;
}

/** The same with the task's fds: every errno but EFAULT is the kernel's answer. */
export function errnoBeforeInsns(call: Call, load: LiveLoad): number | null {
  const attr = new Attr(load.attr.size, LOAD.size, load.attr.bytes);
  attr.clearPointer(LOAD.insns);
  const errno = attempt(call, attr, load.held);
  return errno === -ERRNO.EFAULT ? null : errno;
}

/** The license comes before or after the other checks, by the kernel's version, and must not decide. */
function attempt(call: Call, attr: Attr, held: readonly Memory[]): number | null {
  attr.setPointer(LOAD.license, addressOf(LICENSE));
  const errno = call.bpfAsTask(
    CMD.progLoad,
    attr.bytes,
    [...held, LICENSE],
    namespaceScopeOf(attr.u32(LOAD.progIfindex)),
  );
  return errno < 0 ? errno : null;
}

const LICENSE = Buffer.from("GPL\0");

/**
 * E2BIG for a program with more functions than the kernel takes (add_subprog of kernel/bpf/verifier.c); null for any
 * other. The verifier's log is then in `load.log`. The last instruction is replaced by one after which control runs out
 * of the program: a kernel that takes more functions rejects the program for that (check_subprogs).
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
    const errno = call.bpfAsTask(CMD.progLoad, attr.bytes, [...held, endless], namespaces);
    return errno === -ERRNO.E2BIG ? errno : null;
  } finally {
    attr.setU64(LOAD.insns, address);
  }
}

/** `r0 = 0` */
const MOVE = Buffer.from("b700000000000000", "hex");

/**
 * Whether calls and callbacks in all but the last instruction, which is replaced, name more functions than the kernel
 * takes.
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
