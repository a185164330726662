import { ERRNO } from "../../errno.js";

/** A denial by the gate itself. */
interface RuleRow {
  /** The errno that the task gets, as a positive number. */
  readonly errno: number;
  /** What is denied, as a row of the table in docs/run.md: a test compares the two. */
  readonly denies: string;
}

/**
 * Every rule by which the gate itself denies a call; no policy can override one. Each denial is a decision in the log,
 * with the rule's name. In a dry run the denial is recorded and the kernel executes the call. Calls that the kernel
 * would deny as well need no rule here.
 */
export const GATE_RULES = {
  unknown_command: { errno: ERRNO.EINVAL, denies: "a bpf(2) command that the gate does not know" },
  unknown_field: {
    errno: ERRNO.EINVAL,
    denies: "a field of `bpf_attr` that the gate does not know, in a command whose fields it must know",
  },
  too_large: { errno: ERRNO.E2BIG, denies: "more records, fds, symbols or bytes than the gate copies from a task" },
  unreadable: { errno: ERRNO.EINVAL, denies: "a program or kernel module that the gate cannot read" },
  module_name: {
    errno: ERRNO.EINVAL,
    denies: "a kernel module with two names: one in `struct module`, and another in its section .modinfo",
  },
  token: { errno: ERRNO.EPERM, denies: "creating a program, map or BTF with a BPF token" },
  token_create: { errno: ERRNO.ENOENT, denies: "creating a BPF token outside of the initial user namespace" },
  rewritten: {
    errno: ERRNO.EPERM,
    denies: "a program that the kernel rewrote while loading it, unless `gate.rewritten` is `ask`",
  },
  map_memory: { errno: ERRNO.ENOMEM, denies: "a map beyond `gate.map_memory`, or too many maps" },
  freeze: { errno: ERRNO.EPERM, denies: "a program with a map that must be frozen and cannot be" },
  element_writer: {
    errno: ERRNO.EPERM,
    denies:
      "an iterator over the elements of maps that may write to maps of others: the kernel lets it write to frozen maps",
  },
  loader: {
    errno: ERRNO.EPERM,
    denies: "a program that calls bpf(2), if no enforcing attachment allowed it, or if others can write to its maps",
  },
  loader_run: {
    errno: ERRNO.EPERM,
    denies:
      "the run of a program that calls bpf(2), unless `gate.loader_runs` is `ask` and an enforcing attachment " +
      "allowed it",
  },
  existing: {
    errno: ERRNO.EPERM,
    denies: "opening a program, map or link whose fd the gate never handed out, unless `gate.existing` is `allow`",
  },
  existing_use: {
    errno: ERRNO.EPERM,
    denies: "attaching, running or pinning such an object, if an attachment has the hook `bpf`",
  },
  unknown_object: { errno: ERRNO.ENOENT, denies: "an object of a kind that the gate does not know" },
  withheld: { errno: ERRNO.ENOENT, denies: "a map that the gate created for only one program" },
  attach_type: { errno: ERRNO.EINVAL, denies: "an attach type whose target the gate does not know" },
  iterator: { errno: ERRNO.EINVAL, denies: "parameters of an iterator that the gate cannot translate" },
  repeat: { errno: ERRNO.EINVAL, denies: "a test run of a program with more than 65,536 repetitions" },
  proc_link: {
    errno: ERRNO.ELOOP,
    denies: "a path through a link of a process in /proc, such as `/proc/self/root`, or through too many links",
  },
  foreign_call: { errno: ERRNO.EPERM, denies: "a system call with the i386 (`int $0x80`) or x32 ABI" },
  kexec: { errno: ERRNO.EPERM, denies: "`kexec_load` and `kexec_file_load`: a new kernel would run without the gate" },
  gate_target: {
    errno: ERRNO.EPERM,
    denies:
      "a call that would change limits, priority, scheduling or affinity of the gate, by its pid, process group " +
      "or user, or that makes a performance event of one of its threads (`perf_event_open`)",
  },
  unknown_call: {
    errno: ERRNO.EPERM,
    denies: "a system call that a seccomp profile sends to the gate and that the gate does not handle",
  },
  unseen_task: { errno: ERRNO.EPERM, denies: "a call of a task that has no id in the gate's pid namespace" },
  out_of_reach: {
    errno: ERRNO.EPERM,
    denies:
      "a call for which the gate lacks the capability to read the task's memory, or to take its user, groups, root " +
      "directory or namespaces",
  },
  ticket: {
    errno: ERRNO.EPERM,
    denies:
      "a program of the agent of a sealed machine for which the guard takes no ticket, or that it denies anyway; or " +
      "a kernel module that the guard denies although a policy of the agent allowed it",
  },
  agent: {
    errno: ERRNO.EPERM,
    denies:
      "a program of `countersign run` on a sealed machine that the agent or the guard denies, or whose agent ended",
  },
  stalled: {
    errno: ERRNO.EPERM,
    denies:
      "a call whose task makes the gate wait too long for memory, files or paths, or whose program is not analysed " +
      "in time",
  },
} as const satisfies Record<string, RuleRow>;

export type GateRule = keyof typeof GATE_RULES;
