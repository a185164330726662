import type { Mode } from "../../policy/model/mode.js";
import { capabilities } from "../../sys/credentials.js";

/** A thing that a command cannot do, or that works differently, because of the gate. */
interface RestrictionRow {
  /** `what` and `why` are the columns of a table in docs/run.md; a test compares the two. */
  readonly what: string;
  readonly why: string;
  /** Whether the restriction also applies in audit. */
  readonly inAudit: "no" | "yes" | "without CAP_SYS_ADMIN";
}

/**
 * Restrictions of a command under `countersign run`, besides the denials of policies. In audit only those remain that
 * the gate needs to be notified of the command's calls.
 */
export const RESTRICTIONS: readonly RestrictionRow[] = [
  {
    what: "signals to processes outside, and connections to their abstract sockets",
    why: "Landlock's scopes: the command must not stop or end the gate",
    inAudit: "no",
  },
  {
    what: "tracing processes outside, reading their memory, taking their fds",
    why: "the same Landlock domain: the command must not change the gate's memory",
    inAudit: "no",
  },
  {
    what:
      "changing limits, priority, scheduling or affinity of the gate, of its process group, or of its user's " +
      "processes, and `perf_event_open` of its threads; the same of any other process or thread by its id once the " +
      "gate is gone (ENOSYS)",
    why: "Landlock has no hook for these calls, so the gate is notified of those that do not name the caller by 0",
    inAudit: "no",
  },
  {
    what: "system calls with the i386 (`int $0x80`) or x32 ABI",
    why: "the gate can read only arguments of the x86-64 ABI",
    inAudit: "no",
  },
  {
    what: "`kexec_load` and `kexec_file_load`",
    why: "a new kernel would run without the gate",
    inAudit: "no",
  },
  {
    what: "paths through a link of a process in /proc, for pinning, fetching or probing objects",
    why: "the gate would follow such a link to its own files",
    inAudit: "no",
  },
  {
    what: "privileges gained by executing set-uid programs (`no_new_privs`)",
    why: "the kernel accepts a filter only from a task with CAP_SYS_ADMIN or `no_new_privs`",
    inAudit: "without CAP_SYS_ADMIN",
  },
  {
    what: "a second seccomp listener, such as `countersign run` or a container whose profile has one",
    why:
      "the kernel allows one listener for each chain of filters (EBUSY); in enforcement the filter answers so too, " +
      "for ever, so that no task can reply to its own calls once the gate is gone",
    inAudit: "yes",
  },
  {
    what: "a task that keeps the gate waiting for longer than `gate.stall` is killed",
    why: "the gate copies from the task's memory, and only the end of the task ends such a wait",
    inAudit: "yes",
  },
  {
    what:
      "bpf(2) and the calls that load modules fail with ENOSYS once the gate is gone, except access to " +
      "elements of maps if nothing is decided at hook bpf",
    why: "the kernel returns this error when the listener is closed",
    inAudit: "yes",
  },
  {
    what:
      "programs and maps are charged to the gate's memory cgroup and have its LSM label; the verifier's log is " +
      "cut off at 16 MiB",
    why: "the gate itself creates them, from its copy, so that policies judge exactly what is loaded",
    inAudit: "yes",
  },
];

/** The restrictions of a command that this process starts. */
export function restrictionsIn(mode: Mode): readonly RestrictionRow[] {
  return RESTRICTIONS.filter(({ inAudit }) => {
    if (inAudit === "without CAP_SYS_ADMIN") return !mayConfine();
    return mode === "enforce" || inAudit === "yes";
  });
}

const CAP_SYS_ADMIN = 21n;

/** Whether this thread may enter a Landlock domain and install a filter without no_new_privs. */
export function mayConfine(): boolean {
  return ((capabilities().effective >> CAP_SYS_ADMIN) & 1n) === 1n;
}
