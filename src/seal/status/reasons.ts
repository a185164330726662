/**
 * Why the guard denies a call: enum guard_reason of guard/interface.h, by number. test/unit/seal/status/reasons.test.ts
 * compares names and numbers with the header.
 */
export interface GuardReason {
  /** As in the header, in lower case without `GUARD_`. */
  readonly name: string;
  /** One line: why, and what can be done. */
  readonly text: string;
}

const reason = (name: string, text: string): GuardReason => ({ name, text });

export const GUARD_REASONS: ReadonlyMap<number, GuardReason> = new Map(
  [
    reason("unlisted", "the list does not have this program: build a list that does"),
    reason("maps", "the program has other maps, or other contents of them, than its entry or ticket"),
    reason("core_relos", "the kernel would change the instructions afterwards: have the loader relocate the program"),
    reason("locked_down", "no program may be loaded any more, since `seal lock`"),
    reason(
      "never",
      "this program can undo the guard, or root writes memory by this kernel module, whatever a list says",
    ),
    reason("own_object", "a program, map or link of the guard was about to be opened"),
    reason("own_hook", "an lsm_cgroup or sysctl program was about to be attached or detached"),
    reason(
      "kernel_change",
      "it would change the running kernel or show its memory, as kexec, /dev/mem or /proc/kcore do",
    ),
    reason("sysctl", "this sysctl would turn BPF programs off"),
    reason("mount", "the file system has the guard's links"),
    reason("agent", "memory, signals and tickets of the agent are protected"),
    reason("token", "no BPF token may be created"),
    reason("module", "the list does not have this kernel module"),
    reason("executable", "the list does not have this executable"),
    reason("mask", "programs of this type, or with these helpers, are denied as a class"),
    reason("failure", "the guard itself failed, and denies what it cannot judge"),
    reason("canary", "this program is loaded to prove that the guard denies it"),
    reason("unknown_command", "the guard does not know this bpf(2) command, and denies it"),
    reason("signature", "the kernel verified no signature by the signers"),
    reason("ticket", "the task has a ticket for another load, or one that has ended"),
    reason("list", "a new list did not replace the one in force: `seal replace` says why"),
  ].map((row, index) => [index + 1, row]),
);

/** GUARD_REASONS of the header: the size of the table of counters. */
export const REASON_SLOTS = 32;

/** A reason of a newer guard has no row. */
export function guardReason(number: number): GuardReason {
  return GUARD_REASONS.get(number) ?? reason(`reason_${number}`, "this Countersign does not know the reason");
}

export function reasonNumber(name: string): number {
  for (const [number, row] of GUARD_REASONS) if (row.name === name) return number;
  throw new RangeError(`there is no reason ${name}`);
}
