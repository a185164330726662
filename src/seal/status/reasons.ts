/**
 * Why the guard denies a call: enum guard_reason of guard/interface.h, by number. test/unit/seal/status/reasons.test.ts
 * compares names and numbers with the header.
 */
export interface GuardReason {
  /** As in the header, in lower case without `GUARD_`. */
  readonly name: string;
  /** The LSM hook at which it is denied; `sysctl` is the attach type BPF_CGROUP_SYSCTL. */
  readonly hook: string;
  /** What was about to be done, as in the records of the log. */
  readonly subject: "program" | "command" | "token" | "file" | "kernel" | "task";
  /** One line: why, and what can be done. */
  readonly text: string;
}

const reason = (name: string, hook: string, subject: GuardReason["subject"], text: string): GuardReason => {
  return { name, hook, subject, text };
};

export const GUARD_REASONS: ReadonlyMap<number, GuardReason> = new Map(
  [
    reason("unlisted", "bpf_prog_load", "program", "the list does not have this program: build a list that does"),
    reason(
      "maps",
      "bpf_prog",
      "program",
      "the program has other maps, or other contents of them, than its entry or ticket",
    ),
    reason(
      "core_relos",
      "bpf_prog_load",
      "program",
      "the kernel would change the instructions afterwards: have the loader relocate the program",
    ),
    reason("locked_down", "bpf_prog_load", "program", "no program may be loaded any more, since `seal lock`"),
    reason("never", "bpf_prog_load", "program", "a program of this kind can undo the guard, whatever a list says"),
    reason("own_object", "bpf", "command", "a program, map or link of the guard was about to be opened"),
    reason("own_hook", "bpf", "command", "an lsm_cgroup or sysctl program was about to be attached or detached"),
    reason("kernel_change", "locked_down", "kernel", "it would change the running kernel, as kexec or /dev/mem do"),
    reason("sysctl", "sysctl", "kernel", "this sysctl would turn BPF programs off"),
    reason("mount", "sb_umount", "kernel", "the file system has the guard's links"),
    reason("agent", "ptrace_access_check", "task", "memory, signals and tickets of the agent are protected"),
    reason("token", "bpf_token_create", "token", "no BPF token may be created"),
    reason("module", "kernel_read_file", "file", "the list does not have this kernel module"),
    reason("executable", "bprm_check_security", "file", "the list does not have this executable"),
    reason("mask", "bpf_prog_load", "program", "programs of this type, or with these helpers, are denied as a class"),
    reason("failure", "bpf_prog_load", "program", "the guard itself failed, and denies what it cannot judge"),
    reason("canary", "bpf_prog_load", "program", "this program is loaded to prove that the guard denies it"),
    reason("unknown_command", "bpf", "command", "the guard does not know this bpf(2) command, and denies it"),
    reason("signature", "bpf_prog_load", "program", "the kernel verified no signature by the signers"),
    reason("ticket", "bpf_prog_load", "program", "the task has a ticket for another load, or one that has ended"),
    reason("list", "bpf", "command", "a new list did not replace the one in force: `seal replace` says why"),
  ].map((row, index) => [index + 1, row]),
);

/** GUARD_REASONS of the header: the size of the table of counters. */
export const REASON_SLOTS = 32;

/** A reason of a newer guard has no row. */
export function guardReason(number: number): GuardReason {
  return (
    GUARD_REASONS.get(number) ??
    reason(`reason_${number}`, "bpf", "command", "this Countersign does not know the reason")
  );
}

export function reasonNumber(name: string): number {
  for (const [number, row] of GUARD_REASONS) if (row.name === name) return number;
  throw new RangeError(`there is no reason ${name}`);
}
