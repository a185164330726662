import { ERRNO } from "../../errno.js";
import type { Mode } from "../../policy/model/mode.js";
import { NR } from "../../sys/numbers.js";
import { FILTER_FLAG_NEW_LISTENER, SET_MODE_FILTER } from "../../sys/seccomp.js";
import { COMMANDS } from "./command.js";
import {
  encode,
  type Instruction,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_EQUAL,
  JUMP_SET,
  LOAD_WORD,
  OFFSET_ARCH,
  OFFSET_FIFTH,
  OFFSET_FIRST,
  OFFSET_NUMBER,
  OFFSET_SECOND,
  OFFSET_THIRD,
  RET_ALLOW,
  RET_ERRNO,
  RET_USER_NOTIF,
  RETURN,
} from "./seccomp-program.js";

/**
 * Which commands of bpf(2) notify the gate: all (`full`), or all except those that only access elements of maps
 * (`fast`). A fast filter requires a configuration in which nothing is decided at hook `bpf`.
 */
export type FilterKind = "full" | "fast";

/** The commands that a fast filter allows without a notification, in ascending order. */
export const MAP_ACCESS: readonly number[] = COMMANDS.flatMap(({ mapAccess, number }) => (mapAccess ? [number] : []));

/**
 * The seccomp filter of a gate, as an array of struct sock_filter (linux/filter.h). System calls that load code into
 * the kernel, or a new kernel image, notify the gate. Other system calls cost a few instructions, or none, since the
 * kernel caches the numbers that are always allowed (seccomp_cache_check_allow in kernel/seccomp.c).
 *
 * Outside audit, calls that can change limits, priority, scheduling or affinity of another process notify the gate,
 * which denies them if their target is the gate. Calls with target 0, the caller, are allowed. So are those of
 * perf_event_open(2) for all processes of a CPU (-1) or a cgroup: such events send no signals (perf_event_alloc in
 * kernel/events/core.c). The filter compares the low words of these arguments, because the kernel takes them as int.
 *
 * Outside audit, the filter itself fails each call that would install another listener, and does so after the gate has
 * ended too: the kernel rejects a second listener only while the first is open (has_duplicate_listener in
 * kernel/seccomp.c), and a task could reply to its own calls with a new one. The errnos are those of the kernel while
 * the gate's listener is open: EFAULT if the pointer to the filter is 0, as in libseccomp's test for a flag, else EBUSY
 * (seccomp_set_mode_filter copies the filter first). The kernel takes operation and flags as unsigned int, the low
 * words of their registers.
 *
 * The only other argument that a filter reads is the command of bpf(2). It is a register, so it cannot change after the
 * filter has read it. The kernel takes it as an int, the low word of the register (SYSCALL_DEFINE3(bpf, int, cmd, ...)
 * in kernel/bpf/syscall.c). So `1 << 32 | cmd` is `cmd` for the filter too, and `cmd | 0x10000` is another command.
 *
 * System calls with another ABI (i386, x32) notify the gate, which denies and logs them. In audit such calls are
 * executed; only those that load code and exit_group notify the gate, which records that it would have denied them.
 */
export function gateFilter(mode: Mode, kind: FilterKind): Uint8Array {
  const code: (Instruction | Jump)[] = [
    [LOAD_WORD, 0, 0, OFFSET_ARCH],
    [JUMP_EQUAL, "next", "foreign", AUDIT_ARCH_X86_64],
    [LOAD_WORD, 0, 0, OFFSET_NUMBER],
    [JUMP_GREATER_EQUAL, "x32", "next", X32_BIT],
    ...(kind === "fast" ? [[JUMP_EQUAL, "bpf", "next", NR.bpf] as const] : []),
    ...(mode === "enforce" ? [...TARGETED, INSTALLER].map(([nr, to]): Jump => [JUMP_EQUAL, to, "next", nr]) : []),
    ...asking(WATCHED),
  ];
  const labels: Partial<Record<Label, number>> = { bpf: code.length };
  if (kind === "fast") code.push([LOAD_WORD, 0, 0, OFFSET_FIRST], ...passing(MAP_ACCESS), [RETURN, 0, 0, RET_ALLOW]);
  labels.pass = code.length - 1;
  const own = (label: Targeted, checks: readonly (Instruction | Jump)[]) => {
    labels[label] = code.length;
    code.push(...checks, [JUMP_EQUAL, "next", "ask", 0], [RETURN, 0, 0, RET_ALLOW]);
  };
  if (mode === "enforce") {
    own("pid", [[LOAD_WORD, 0, 0, OFFSET_FIRST]]);
    for (const [label, process] of [
      ["priority", PRIO_PROCESS],
      ["ioprio", IOPRIO_WHO_PROCESS],
    ] as const)
      own(label, [
        [LOAD_WORD, 0, 0, OFFSET_FIRST],
        [JUMP_EQUAL, "next", "ask", process],
        [LOAD_WORD, 0, 0, OFFSET_SECOND],
      ]);
    labels.perf = code.length;
    code.push(...EVENT_OF_PROCESS);
    labels.seccomp = code.length;
    code.push(...NO_LISTENER);
    labels.other = code.push([RETURN, 0, 0, RET_ALLOW]) - 1;
    labels.busy = code.push([RETURN, 0, 0, RET_ERRNO | ERRNO.EBUSY]) - 1;
  }
  const foreign = (label: "foreign" | "x32", load: readonly Instruction[], numbers: readonly number[]) => {
    labels[label] = code.length;
    if (mode === "enforce") code.push([RETURN, 0, 0, RET_USER_NOTIF]);
    else code.push(...load, ...asking(numbers));
  };
  foreign(
    "x32",
    [],
    Object.values(X32).map((number) => number | X32_BIT),
  );
  foreign("foreign", [[LOAD_WORD, 0, 0, OFFSET_NUMBER]], Object.values(I386));
  labels.ask = code.length;
  code.push([RETURN, 0, 0, RET_USER_NOTIF]);
  return encode(code.map((instruction, at) => resolved(instruction, at, labels)));
}

/**
 * The filter of a gate's own threads, whose bpf(2) calls the agent of a sealed machine makes: see
 * `task/blocking/agent-link.ts`. They make system calls of x86-64 only.
 */
export function bpfFilter(): Uint8Array {
  return encode([
    [LOAD_WORD, 0, 0, OFFSET_NUMBER],
    [JUMP_EQUAL, 0, 1, NR.bpf],
    [RETURN, 0, 0, RET_USER_NOTIF],
    [RETURN, 0, 0, RET_ALLOW],
  ]);
}

/** Jumps to `ask` for these numbers, and allows all others. */
function asking(numbers: readonly number[]): readonly (Instruction | Jump)[] {
  const jumps = numbers.map((number): Jump => [JUMP_EQUAL, "ask", "next", number]);
  return [...jumps, [RETURN, 0, 0, RET_ALLOW]];
}

/** Jumps to `pass` for these numbers, which are in ascending order, and to `ask` for all others. */
function passing(numbers: readonly number[]): readonly Jump[] {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  const ends = numbers.filter((number) => !numbers.includes(number + 1));
  return starts.flatMap((start, at): readonly Jump[] => [
    [JUMP_GREATER_EQUAL, "next", "ask", start],
    [JUMP_GREATER, at === starts.length - 1 ? "ask" : "next", "pass", ends[at]!],
  ]);
}

type Label = "foreign" | "x32" | "ask" | "bpf" | "pass" | Targeted | "seccomp" | "other" | "busy";
type Targeted = "pid" | "priority" | "ioprio" | "perf";
/** A jump to labels. Their offsets are known only when the whole filter is assembled. */
type Jump = readonly [code: number, jt: Label | "next", jf: Label | "next", k: number];

/** Replaces labels by jump offsets, which count from the instruction after the jump. */
function resolved(instruction: Instruction | Jump, at: number, labels: Partial<Record<Label, number>>): Instruction {
  const [code, jt, jf, k] = instruction;
  const distance = (to: number | Label | "next") =>
    typeof to === "number" ? to : to === "next" ? 0 : (labels[to] ?? at + 1) - at - 1;
  return [code, distance(jt), distance(jf), k];
}

/** System calls of x86-64 that notify the gate. */
export const WATCHED: readonly number[] = [NR.bpf, NR.init_module, NR.finit_module, NR.kexec_load, NR.kexec_file_load];

/**
 * System calls that name a target process: by their first argument (`pid`), by the first two, `which` and `who`, or as
 * perf_event_open(2) (see gate/commands/gate-target.ts).
 */
const TARGETED: readonly (readonly [number: number, label: Targeted])[] = [
  [NR.prlimit64, "pid"],
  [NR.sched_setparam, "pid"],
  [NR.sched_setscheduler, "pid"],
  [NR.sched_setaffinity, "pid"],
  [NR.sched_setattr, "pid"],
  [NR.setpriority, "priority"],
  [NR.ioprio_set, "ioprio"],
  [NR.perf_event_open, "perf"],
];
/** Values of `which` (linux/resource.h and linux/ioprio.h). */
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;

/** Bit of the argument `flags` of perf_event_open(2): `pid` is the fd of a cgroup (linux/perf_event.h). */
export const PERF_FLAG_PID_CGROUP = 4;
/** Asks about an event of a process or thread. Events of the caller, of all processes and of cgroups go to `other`. */
const EVENT_OF_PROCESS: readonly (Instruction | Jump)[] = [
  [LOAD_WORD, 0, 0, OFFSET_SECOND],
  [JUMP_EQUAL, "other", "next", 0],
  [JUMP_GREATER_EQUAL, "other", "next", 0x8000_0000],
  [LOAD_WORD, 0, 0, OFFSET_FIFTH],
  [JUMP_SET, "other", "ask", PERF_FLAG_PID_CGROUP],
];

/** The system call that installs filters. prctl(PR_SET_SECCOMP) passes no flags. */
const INSTALLER = [NR.seccomp, "seccomp"] as const;
/**
 * Answers a call of seccomp(2) that would install a listener. Any other goes to `other`: the other operations reject
 * each flag.
 */
const NO_LISTENER: readonly (Instruction | Jump)[] = [
  [LOAD_WORD, 0, 0, OFFSET_FIRST],
  [JUMP_EQUAL, "next", "other", SET_MODE_FILTER],
  [LOAD_WORD, 0, 0, OFFSET_SECOND],
  [JUMP_SET, "next", "other", FILTER_FLAG_NEW_LISTENER],
  [LOAD_WORD, 0, 0, OFFSET_THIRD],
  [JUMP_EQUAL, "next", "busy", 0],
  [LOAD_WORD, 0, 0, OFFSET_THIRD + 4],
  [JUMP_EQUAL, "next", "busy", 0],
  [RETURN, 0, 0, RET_ERRNO | ERRNO.EFAULT],
];

/** i386 numbers of the calls that load code, and of exit_group (arch/x86/entry/syscalls/syscall_32.tbl). */
export const I386 = { bpf: 357, init_module: 128, finit_module: 350, kexec_load: 283, exit_group: 252 } as Readonly<
  Record<string, number>
>;
/** The same for x32, without {@link X32_BIT} (syscall_64.tbl). */
export const X32 = {
  ...{ bpf: 321, init_module: 175, finit_module: 313, kexec_load: 528, kexec_file_load: 320, exit_group: 231 },
} as Readonly<Record<string, number>>;

/** linux/audit.h: EM_X86_64 (62), 64 bits, little-endian. */
export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** __X32_SYSCALL_BIT of asm/unistd.h: the x32 calls have the same architecture and this bit in their number. */
export const X32_BIT = 0x40000000;
