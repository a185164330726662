import type { Mode } from "../policy/mode.js";
import { COMMANDS } from "./call/command.js";
import { NR } from "./sys/numbers.js";

/**
 * Which commands of bpf(2) notify the gate: all (`full`), or all but those that only access elements of maps (`fast`).
 * A fast filter is possible only under a configuration in which nothing is decided at hook `bpf`.
 */
export type FilterKind = "full" | "fast";

/** The commands that a fast filter lets pass, in ascending order. */
export const MAP_ACCESS: readonly number[] = COMMANDS.flatMap(({ mapAccess }, cmd) => (mapAccess ? [cmd] : []));

/**
 * The seccomp filter of a gate, as an array of struct sock_filter (linux/filter.h). System calls that load code into
 * the kernel, or a new kernel image, notify the gate. Other system calls cost a few instructions, or none, since the
 * kernel caches numbers that are always allowed.
 *
 * Calls that can change limits, priority, scheduling or affinity of another process notify the gate, which denies them
 * for itself, unless they name the caller: the kernel takes pids and their kinds as an int as well. In audit they do
 * not.
 *
 * Otherwise the only argument that a filter looks at is the command of bpf(2). It is a register, so that it cannot
 * change after the filter has seen it; and the kernel takes it as an int, which is the low word of the register
 * (SYSCALL_DEFINE3(bpf, int, cmd,
 * ...) in kernel/bpf/syscall.c). So `1 << 32 | cmd` is `cmd` here too, and `cmd | 0x10000` is another command.
 *
 * System calls with another ABI (i386, x32) notify the gate, which denies and logs them. In audit such calls are
 * executed, and only those that load code, or that end a program, notify the gate: it records what it would have
 * denied.
 */
export function gateFilter(mode: Mode, kind: FilterKind): Uint8Array {
  const code: (Instruction | Jump)[] = [
    [LOAD_WORD, 0, 0, OFFSET_ARCH],
    [JUMP_EQUAL, "next", "foreign", AUDIT_ARCH_X86_64],
    [LOAD_WORD, 0, 0, OFFSET_NUMBER],
    [JUMP_GREATER_EQUAL, "x32", "next", X32_BIT],
    ...(kind === "fast" ? [[JUMP_EQUAL, "bpf", "next", NR.bpf] as const] : []),
    ...(mode === "enforce" ? TARGETED.map(([number, label]): Jump => [JUMP_EQUAL, label, "next", number]) : []),
    ...asking(WATCHED),
  ];
  const labels: Partial<Record<Label, number>> = { bpf: code.length };
  if (kind === "fast") code.push([LOAD_WORD, 0, 0, OFFSET_FIRST], ...passing(MAP_ACCESS), [RETURN, 0, 0, RET_ALLOW]);
  labels.pass = code.length - 1;
  const own = (label: "pid" | "priority" | "ioprio", checks: readonly (Instruction | Jump)[]) => {
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

/** Notifies the gate of these numbers, and allows all others. */
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

type Label = "foreign" | "x32" | "ask" | "bpf" | "pass" | "pid" | "priority" | "ioprio";
/** A jump to labels, whose offsets are known when the whole program is assembled. */
type Jump = readonly [code: number, jt: Label | "next", jf: Label | "next", k: number];

/** Jumps count instructions from the next one on. */
function resolved(instruction: Instruction | Jump, at: number, labels: Partial<Record<Label, number>>): Instruction {
  const [code, jt, jf, k] = instruction;
  const distance = (to: number | Label | "next") =>
    typeof to === "number" ? to : to === "next" ? 0 : (labels[to] ?? at + 1) - at - 1;
  return [code, distance(jt), distance(jf), k];
}

/** System calls of x86-64 of which the gate is notified. */
export const WATCHED: readonly number[] = [NR.bpf, NR.init_module, NR.finit_module, NR.kexec_load, NR.kexec_file_load];

/**
 * System calls that name another process by their first argument, or by two: `which` and `who`
 * (gate/commands/gate-target.ts).
 */
const TARGETED: readonly (readonly [number: number, label: "pid" | "priority" | "ioprio"])[] = [
  [NR.prlimit64, "pid"],
  [NR.sched_setparam, "pid"],
  [NR.sched_setscheduler, "pid"],
  [NR.sched_setaffinity, "pid"],
  [NR.sched_setattr, "pid"],
  [NR.setpriority, "priority"],
  [NR.ioprio_set, "ioprio"],
];
/** linux/resource.h and linux/ioprio.h. */
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;

/** Calls of i386 that load code, and the one that ends each program (arch/x86/entry/syscalls/syscall_32.tbl). */
export const I386 = { bpf: 357, init_module: 128, finit_module: 350, kexec_load: 283, exit_group: 252 } as Readonly<
  Record<string, number>
>;
/** The same of x32, without its bit (syscall_64.tbl). */
export const X32 = {
  ...{ bpf: 321, init_module: 175, finit_module: 313, kexec_load: 528, kexec_file_load: 320, exit_group: 231 },
} as Readonly<Record<string, number>>;

/** One struct sock_filter: code, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/**
 * Opcodes of classic BPF (linux/bpf_common.h): BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGT|K, BPF_JMP|JGE|K, BPF_RET|K.
 */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

/** Actions of a filter (linux/seccomp.h). */
const RET_ALLOW = 0x7fff0000;
const RET_USER_NOTIF = 0x7fc00000;

/**
 * struct seccomp_data: the number at 0, the architecture at 4, the arguments from 16 on, of which these are the low
 * words.
 */
const OFFSET_NUMBER = 0;
const OFFSET_ARCH = 4;
const OFFSET_FIRST = 16;
const OFFSET_SECOND = 24;
/** linux/audit.h: EM_X86_64 (62), 64 bits, little-endian. */
export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** __X32_SYSCALL_BIT of asm/unistd.h: the x32 calls have the same architecture and this bit in their number. */
export const X32_BIT = 0x40000000;

function encode(code: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * code.length));
  for (const [index, [opcode, jt, jf, k]] of code.entries()) {
    view.setUint16(8 * index, opcode, true);
    view.setUint8(8 * index + 2, jt);
    view.setUint8(8 * index + 3, jf);
    view.setUint32(8 * index + 4, k, true);
  }
  return new Uint8Array(view.buffer);
}
