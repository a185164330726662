import { CMD } from "../../bpf/model/commands.js";
import { ERRNO } from "../../errno.js";
import { type NamespaceScope, OUT_OF_REACH } from "../../sys/credentials.js";
import { NR } from "../../sys/numbers.js";
import type { Memory, Word } from "../task/blocking/blocking-op.js";
import { Attr, MAX_ATTR } from "./attr.js";
import type { Call } from "./call.js";
import { deny, failWith } from "./failure.js";

/**
 * Copies the attr of a bpf(2) call. The gate knows its first `room` bytes. If any later byte is not zero, the call
 * fails: with E2BIG outside of the running kernel's `union bpf_attr`, otherwise with EINVAL, as by the kernel's
 * CHECK_ATTR. A newer kernel may know the byte, so the second is a denial.
 */
export function readAttr(call: Call, room: number): Attr {
  const size = call.word(2);
  if (size > MAX_ATTR) failWith(ERRNO.E2BIG);
  const bytes = call.task.read(call.long(1), size) ?? failUnread(call);
  for (let at = room; at < size; at += 1)
    if (bytes[at] !== 0) {
      if (isBeyondUnion(call, bytes, at)) failWith(ERRNO.E2BIG);
      deny("unknown_field", `the gate does not know byte ${at} of its bpf_attr, which is not zero`);
    }
  return new Attr(size, room, bytes);
}

/**
 * Whether a byte at `from` or later is not zero and is outside of the running kernel's `union bpf_attr`, whose size
 * differs from one kernel to the next. The kernel says so by E2BIG (bpf_check_uarg_tail_zero of kernel/bpf/syscall.c),
 * which it checks before the command. BPF_MAP_FREEZE with these bytes and fd -1 cannot succeed.
 */
export function isBeyondUnion(call: Call, bytes: Uint8Array, from: number): boolean {
  const tail = bytes.slice().fill(0, 0, from);
  tail.fill(0xff, 0, 4);
  return bpfAsTask(call, CMD.BPF_MAP_FREEZE, tail) === -ERRNO.E2BIG;
}

/**
 * Calls bpf(2) with the task's identity. Returns an fd, 0, or a negative errno. `held` is the memory that `attr` points
 * to. `granted` are capabilities that are added to the task's own for this call only. `ticket` is the guard's, for a
 * load under a seal; {@link ticketFailure} explains the result then.
 */
export function bpfAsTask(
  call: Call,
  cmd: number,
  attr: Uint8Array,
  held: readonly Memory[] = NONE,
  namespaces: NamespaceScope = "net",
  granted = 0n,
  ticket: Uint8Array | null = null,
): number {
  return callAsTask(call, NR.bpf, [cmd, attr, attr.byteLength], held, namespaces, granted, ticket);
}

/**
 * Makes a system call with the task's identity. Returns its result, or denies the call if the gate cannot take that
 * identity. A `words` entry that is memory is passed by its address. Such memory may contain pointers to the memory in
 * `held`.
 */
export function callAsTask(
  call: Call,
  number: number,
  words: readonly Word[],
  held: readonly Memory[] = NONE,
  namespaces: NamespaceScope = "net",
  granted = 0n,
  ticket: Uint8Array | null = null,
): number {
  const own = call.caller.identity(namespaces);
  if (own === null) return -ERRNO.ESRCH;
  const identity = granted === 0n ? own : { ...own, capabilities: own.capabilities | granted };
  const result = call.task.make({ identity, number, words, held, ticket, path: namespaces === "mount" });
  if (result === OUT_OF_REACH)
    denyOutOfReach(call.commandName, "the task has another user, group, root directory or namespace than the gate");
  return result;
}

const NONE: readonly Memory[] = [];

/**
 * The task's memory could not be read. If the task's identity is known, the address is invalid: EFAULT. If not, the
 * gate lacks the permission to read the task (ptrace(2), "Ptrace access mode checking"), which also hides its user
 * namespace.
 */
function failUnread({ caller, task, commandName }: Call): never {
  if (caller.identity("none") !== null || !task.stillWaits) failWith(ERRNO.EFAULT);
  return denyOutOfReach(commandName, "the task has another user than the gate, or cannot be traced");
}

function denyOutOfReach(name: string, why: string): never {
  return deny("out_of_reach", `${why}, and the gate lacks the capability that it would need for that`, {
    about: { hook: "bpf", subject: { name } },
    repeatKey: `${name} ${why}`,
  });
}
