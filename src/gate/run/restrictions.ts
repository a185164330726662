import type { Mode } from "../../policy/mode.js";
import { capabilities } from "../sys/credentials.js";

/** Something that a command cannot do, or does otherwise, because the gate is there. */
interface RestrictionRow {
  /** Rows of the table in docs/run.md: a test compares the two. */
  readonly what: string;
  readonly why: string;
  /** Whether it remains in audit: where denying nothing leaves a choice, it does not. */
  readonly inAudit: "no" | "yes" | "without CAP_SYS_ADMIN";
}

/**
 * What `countersign run` takes from a command beside what policies deny. Those that remain in audit are there because
 * the gate cannot see the command's calls without them.
 */
export const RESTRICTIONS: readonly RestrictionRow[] = [
  {
    what: "signals to processes outside, and abstract sockets of theirs",
    why: "Landlock's scopes: the command must not stop or end the gate",
    inAudit: "no",
  },
  {
    what: "to trace processes outside, and to read their memory or take their fds",
    why: "the same Landlock domain: the command must not change the gate's memory",
    inAudit: "no",
  },
  {
    what: "system calls by the entry of i386 (`int $0x80`) or of x32",
    why: "the gate reads the arguments of x86-64 alone",
    inAudit: "no",
  },
  {
    what: "`kexec_load` and `kexec_file_load`",
    why: "a new kernel would run without the gate",
    inAudit: "no",
  },
  {
    what: "paths through a link that /proc has of a process, for what is pinned, fetched or probed",
    why: "the gate would follow the link to its own files",
    inAudit: "no",
  },
  {
    what: "set-uid programs gain nothing (`no_new_privs`)",
    why: "the kernel takes a filter from a task with CAP_SYS_ADMIN or `no_new_privs` alone",
    inAudit: "without CAP_SYS_ADMIN",
  },
  {
    what: "a second seccomp listener inside, such as `countersign run` or a container whose profile has one",
    why: "the kernel allows one listener in a tree of filters (EBUSY)",
    inAudit: "yes",
  },
  {
    what: "a task that keeps the gate waiting for longer than `gate.stall` is killed",
    why: "the gate copies from its memory, and nothing else ends such a wait",
    inAudit: "yes",
  },
  {
    what: "bpf(2) and the calls that load modules fail with ENOSYS once the gate is gone",
    why: "the kernel answers so where nobody listens",
    inAudit: "yes",
  },
  {
    what: "programs and maps are charged to the gate's memory cgroup and have its LSM label; the verifier's log ends at 16 MiB",
    why: "the gate has the kernel make them from its copy, so that policies see what the kernel made of them",
    inAudit: "yes",
  },
];

/** The restrictions that hold for a command of this process. */
export function restrictionsIn(mode: Mode): readonly RestrictionRow[] {
  return RESTRICTIONS.filter(({ inAudit }) => {
    if (inAudit === "without CAP_SYS_ADMIN") return !mayConfine();
    return mode === "enforce" || inAudit === "yes";
  });
}

const CAP_SYS_ADMIN = 21n;

/** Whether this thread may confine itself as it is. */
export function mayConfine(): boolean {
  return ((capabilities().effective >> CAP_SYS_ADMIN) & 1n) === 1n;
}
