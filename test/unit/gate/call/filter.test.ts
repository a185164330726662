import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { METADATA } from "../../../../src/gate/agent/container/profile.js";
import {
  AUDIT_ARCH_X86_64,
  bpfFilter,
  type FilterKind,
  gateFilter,
  I386,
  WATCHED,
  X32,
} from "../../../../src/gate/call/filter.js";
import { NR } from "../../../../src/sys/numbers.js";

const ALLOW = 0x7fff0000;
const ASK = 0x7fc00000;

/** Runs a seccomp filter on struct seccomp_data, as the kernel does (the opcodes that the gate's has). */
function answer(filter: Uint8Array, number: number, arch: number, ...args: readonly bigint[]): number {
  const data: Record<number, number> = { 0: number >>> 0, 4: arch };
  for (let index = 0; index < 6; index += 1) {
    const register = args[index] ?? 0n;
    data[16 + 8 * index] = Number(register & 0xffff_ffffn);
    data[20 + 8 * index] = Number(register >> 32n);
  }
  const view = new DataView(filter.buffer);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const [code, jt, jf] = [view.getUint16(8 * at, true), view.getUint8(8 * at + 2), view.getUint8(8 * at + 3)];
    const k = view.getUint32(8 * at + 4, true);
    if (code === 0x20) accumulator = data[k]!;
    else if (code === 0x25) at += accumulator > k ? jt : jf;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jt : jf;
    else if (code === 0x06) return k;
    else throw new Error(`opcode ${code}`);
  }
  throw new Error("the filter has no end");
}

/** linux/audit.h: EM_386 (3), little-endian. */
const AUDIT_ARCH_I386 = 0x40000003;
const X32_BIT = 0x40000000;
const NUMBERS = Array.from({ length: 600 }, (_, number) => number);
const LOADS_CODE = [321, 175, 313, 246, 320];

const BPF = 321;
const SECCOMP = 317;
const hex = (word: bigint) => `0x${word.toString(16)}`;

const native = (filter: Uint8Array, number: number, ...args: readonly bigint[]) =>
  answer(filter, number, AUDIT_ARCH_X86_64, ...args);

/** Calls that name another process, with the arguments by which they name the caller itself (asm/unistd_64.h). */
const NAMES_ITSELF: Readonly<Record<number, readonly [first: bigint, second: bigint]>> = {
  ...{ 302: [0n, 9n], 142: [0n, 9n], 144: [0n, 9n], 203: [0n, 9n], 314: [0n, 9n] },
  // PRIO_PROCESS and IOPRIO_WHO_PROCESS
  ...{ 141: [0n, 0n], 251: [1n, 0n] },
};
const PERF_EVENT_OPEN = 298;

/** The numbers of enum bpf_cmd (linux/bpf.h) that only read or write elements of maps. */
const MAP_ACCESS: Readonly<Record<number, string>> = {
  ...{ 1: "LOOKUP_ELEM", 2: "UPDATE_ELEM", 3: "DELETE_ELEM", 4: "GET_NEXT_KEY", 21: "LOOKUP_AND_DELETE_ELEM" },
  ...{ 24: "LOOKUP_BATCH", 25: "LOOKUP_AND_DELETE_BATCH", 26: "UPDATE_BATCH", 27: "DELETE_BATCH" },
};

/** Each command, in each way to write it into a register of 64 bits. The kernel takes the low word (`int cmd`). */
const COMMANDS = [...Array.from({ length: 41 }, (_, command) => command), 1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const HIGH_WORDS = [0n, 1n, 0x8000_0000n, 0xffff_ffffn];
const REGISTERS = COMMANDS.flatMap((command) => [
  ...Array.from({ length: 32 }, (_, bit) => (command | (1 << bit)) >>> 0),
  command,
]).flatMap((word) => HIGH_WORDS.map((high) => ({ word, register: (high << 32n) | BigInt(word) })));

/** Actions of a filter that fails a call (linux/seccomp.h: SECCOMP_RET_ERRNO, the errno in the low 16 bits). */
const EFAULT = 0x0005_0000 | 14;
const EBUSY = 0x0005_0000 | 16;

/** What is to come of a call of seccomp(2) whose registers have these low words and this pointer. */
const installing = (op: number, flags: number, pointer: bigint) =>
  op !== 1 || (flags & 8) === 0 ? ALLOW : pointer === 0n ? EFAULT : EBUSY;

/**
 * Calls of seccomp(2): each operation of Linux 7.0 and other numbers, each combination of its six flags, each further
 * bit alone and with the flag of a listener, pointers with and without low and high word; and each high word of the
 * first two registers, of which the kernel takes the low one.
 */
const OPERATIONS = [0, 1, 2, 3, 4, 9, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff];
const FLAGS = [
  ...Array.from({ length: 64 }, (_, flags) => flags),
  ...Array.from({ length: 26 }, (_, bit) => [2 ** (6 + bit), 2 ** (6 + bit) + 8]).flat(),
  0xffff_ffff,
];
const POINTERS = [0n, 1n, 0x1000n, 0x7fff_dead_b000n, 1n << 32n, 0xffff_ffff_0000_0000n, 0xffff_ffff_ffff_ffffn];
const INSTALLING = OPERATIONS.flatMap((op) =>
  FLAGS.flatMap((flags) =>
    POINTERS.map((pointer) => ({ op, flags, pointer, outcome: installing(op, flags, pointer) })),
  ),
);

describe("the gate's filter", () => {
  it.each([
    ["enforce", "full"],
    ["enforce", "fast"],
    ["audit", "full"],
    ["audit", "fast"],
  ] as const)(
    "in %s (%s) notifies the gate of bpf, modules and kexec, and allows all other calls of x86-64",
    (mode, kind) => {
      const filter = gateFilter(mode, kind);
      for (const number of NUMBERS)
        expect(native(filter, number, ...(NAMES_ITSELF[number] ?? [])), `${number}`).toBe(
          LOADS_CODE.includes(number) ? ASK : ALLOW,
        );
    },
  );

  it.each(["full", "fast"] as const)(
    "in enforce (%s) asks about calls that name another process, by the low words of their arguments",
    (kind) => {
      const filter = gateFilter("enforce", kind);
      const audit = gateFilter("audit", kind);
      const others = [1n, 2n, 3n, 4711n, 0x7fff_ffffn, 0xffff_ffffn];
      for (const [name, [first, second]] of Object.entries(NAMES_ITSELF)) {
        const number = Number(name);
        const hasKind = number === 141 || number === 251;
        for (const high of HIGH_WORDS) {
          const wide = (word: bigint) => (high << 32n) | word;
          expect(native(filter, number, wide(first), wide(second)), name).toBe(ALLOW);
          for (const other of others) {
            const [which, who] = hasKind ? [first, other] : [other, second];
            expect(native(filter, number, wide(which), wide(who)), `${name}: ${which}, ${who}`).toBe(ASK);
            // the caller's own group and user
            if (hasKind && other !== first) expect(native(filter, number, wide(other), 0n)).toBe(ASK);
            expect(native(audit, number, wide(which), wide(who))).toBe(ALLOW);
          }
        }
      }
    },
  );

  it.each(["full", "fast"] as const)(
    "in enforce (%s) asks about performance events of another process, and about no others",
    (kind) => {
      const filter = gateFilter("enforce", kind);
      const audit = gateFilter("audit", kind);
      const pids = [0n, 1n, 2n, 4711n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_fffen, 0xffff_ffffn];
      // each combination of the four flags, PID_CGROUP (4) among them (linux/perf_event.h), and other bits
      const flags = [...Array.from({ length: 16 }, (_, bits) => BigInt(bits)), 16n, 0xffff_fffbn, 0xffff_ffffn];
      for (const pid of pids)
        for (const flag of flags)
          for (const high of HIGH_WORDS) {
            const args = [0x1000n, (high << 32n) | pid, 7n, 9n, (high << 32n) | flag];
            const names = pid > 0n && pid < 0x8000_0000n && (flag & 4n) === 0n;
            expect(native(filter, PERF_EVENT_OPEN, ...args), args.map(hex).join(", ")).toBe(names ? ASK : ALLOW);
            expect(native(audit, PERF_EVENT_OPEN, ...args)).toBe(ALLOW);
          }
    },
  );

  it.each(["full", "fast"] as const)(
    "in enforce (%s) fails each call that would install a listener, and allows every other of seccomp(2)",
    { tags: ["deep"] },
    (kind) => {
      const filter = gateFilter("enforce", kind);
      const wrong: string[] = [];
      for (const { op, flags, pointer, outcome } of INSTALLING)
        for (const high of HIGH_WORDS)
          for (const other of HIGH_WORDS) {
            const words = [(high << 32n) | BigInt(op), (other << 32n) | BigInt(flags), pointer] as const;
            if (native(filter, SECCOMP, ...words) !== outcome) wrong.push(words.map(hex).join(", "));
          }
      expect(wrong).toEqual([]);
      expect(INSTALLING.filter(({ outcome }) => outcome !== ALLOW)).toHaveLength((32 + 26 + 1) * POINTERS.length);
    },
  );

  it("in audit allows every call of seccomp(2)", { tags: ["deep"] }, () => {
    for (const kind of ["full", "fast"] as const)
      for (const { op, flags, pointer } of INSTALLING)
        expect(native(gateFilter("audit", kind), SECCOMP, BigInt(op), BigInt(flags), pointer)).toBe(ALLOW);
  });

  it("asks about each command of bpf(2), unless it is fast", { tags: ["deep"] }, () => {
    for (const mode of ["enforce", "audit"] as const) {
      const filter = gateFilter(mode, "full");
      for (const { register } of REGISTERS) expect(native(filter, BPF, register)).toBe(ASK);
    }
  });

  it("lets access to elements of maps pass if it is fast, by the low word of the command, and no other command", {
    tags: ["deep"],
  }, () => {
    for (const mode of ["enforce", "audit"] as const) {
      const filter = gateFilter(mode, "fast");
      for (const { word, register } of REGISTERS)
        expect(native(filter, BPF, register), `0x${register.toString(16)}`).toBe(word in MAP_ACCESS ? ALLOW : ASK);
      // the first argument of other calls is no command
      for (const number of LOADS_CODE.filter((its) => its !== BPF)) expect(native(filter, number, 1n)).toBe(ASK);
    }
  });

  it.each(["full", "fast"] as const)("in enforce (%s) asks about every call of i386, x32 and others", (kind) => {
    const filter = gateFilter("enforce", kind);
    for (const number of NUMBERS) {
      expect(native(filter, X32_BIT | number)).toBe(ASK);
      for (const arch of [AUDIT_ARCH_I386, 0xc00000b7, 0]) expect(answer(filter, number, arch)).toBe(ASK);
    }
    expect(native(filter, -1)).toBe(ASK);
  });

  it.each(["full", "fast"] as const)(
    "in audit (%s) asks about calls of i386 and x32 that load code or end a program, and no others",
    (kind) => {
      const filter = gateFilter("audit", kind);
      const i386 = [357, 128, 350, 283, 252];
      const x32 = [321, 175, 313, 528, 320, 231];
      for (const number of NUMBERS) {
        expect(answer(filter, number, AUDIT_ARCH_I386), `i386 ${number}`).toBe(i386.includes(number) ? ASK : ALLOW);
        expect(native(filter, X32_BIT | number), `x32 ${number}`).toBe(x32.includes(number) ? ASK : ALLOW);
      }
      expect(native(filter, -1)).toBe(ALLOW);
    },
  );
});

describe("the numbers of foreign calls", () => {
  // asm/unistd_32.h and unistd_x32.h of linux-libc-dev, where they are installed
  const headers = "/usr/include/x86_64-linux-gnu/asm/";
  it.skipIf(!existsSync(`${headers}unistd_32.h`)).each([
    ["unistd_32.h", I386],
    ["unistd_x32.h", X32],
  ])("are those of %s", (file, numbers) => {
    const text = readFileSync(headers + file, "utf8");
    for (const [name, number] of Object.entries(numbers))
      expect(new RegExp(`#define __NR_${name} (?:\\(__X32_SYSCALL_BIT \\+ )?(\\d+)`).exec(text)?.[1], name).toBe(
        `${number}`,
      );
  });
});

interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number;
    readonly op: string;
  }[];
}

interface Profile {
  readonly defaultAction: string;
  readonly architectures: readonly string[];
  readonly listenerMetadata: string;
  readonly syscalls: readonly Rule[];
}

/** Comparisons of libseccomp (seccomp_rule_add(3)), of whole registers. */
const COMPARISONS: Readonly<Record<string, (register: bigint, value: bigint, valueTwo: bigint) => boolean>> = {
  SCMP_CMP_MASKED_EQ: (register, mask, value) => (register & mask) === value,
  SCMP_CMP_EQ: (register, value) => register === value,
  SCMP_CMP_NE: (register, value) => register !== value,
};
const ACTIONS: Readonly<Record<string, number>> = { SCMP_ACT_NOTIFY: ASK, SCMP_ACT_ERRNO: 0x0005_0000 };

describe.each([
  ["seccomp.json", "full"],
  ["seccomp-fast.json", "fast"],
] as const)("the seccomp profile deploy/%s", (file, kind) => {
  const profile = JSON.parse(readFileSync(new URL(`../../../../deploy/${file}`, import.meta.url), "utf8")) as Profile;

  /** The actions of all rules of a call that fit; those of one rule's comparisons must all fit. */
  const actions = (name: string, ...registers: readonly bigint[]): readonly number[] =>
    profile.syscalls
      .filter(
        ({ names, args = [] }) =>
          names.includes(name) &&
          args.every(({ index, op, value, valueTwo = 0 }) =>
            COMPARISONS[op]!(registers[index]!, BigInt(value), BigInt(valueTwo)),
          ),
      )
      .map(({ action, errnoRet = 0 }) => ACTIONS[action]! | errnoRet);

  it("has rules of the kinds that this test knows", () => {
    expect(profile.defaultAction).toBe("SCMP_ACT_ALLOW");
    for (const { action, args = [] } of profile.syscalls) {
      expect(ACTIONS).toHaveProperty(action);
      // runtimes make several rules of more than one comparison of an argument
      expect(new Set(args.map(({ index }) => index)).size).toBe(args.length);
      for (const { op } of args) expect(COMPARISONS).toHaveProperty(op);
    }
  });

  it("notifies the agent of the same calls as the filter of `run`, and allows all others", { tags: ["deep"] }, () => {
    const filter = gateFilter("enforce", kind);
    const names = [...new Set(profile.syscalls.flatMap((rule) => rule.names))].filter((name) => name !== "seccomp");
    expect(names.map((name) => NR[name as keyof typeof NR]).sort()).toEqual([...WATCHED].sort());
    for (const name of names)
      for (const { register } of REGISTERS)
        expect(new Set(actions(name, register)), `${name} 0x${register.toString(16)}`).toEqual(
          new Set(native(filter, NR[name as keyof typeof NR], register) === ASK ? [ASK] : []),
        );
  });

  it("fails the same calls as the filter of `run` that would install a listener, each by one rule", {
    tags: ["deep"],
  }, () => {
    for (const { op, flags, pointer, outcome } of INSTALLING)
      for (const high of HIGH_WORDS) {
        const words = [(high << 32n) | BigInt(op), (high << 32n) | BigInt(flags), pointer] as const;
        expect(actions("seccomp", ...words), words.map(hex).join(", ")).toEqual(outcome === ALLOW ? [] : [outcome]);
      }
  });

  it("says in its metadata which filter it is", () => {
    expect(profile.listenerMetadata).toBe(METADATA[kind satisfies FilterKind]);
  });

  it("lists only x86-64: libseccomp kills tasks that call by i386 or x32", () => {
    expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64"]);
  });
});

describe("the filter of threads that ask an agent", () => {
  it("asks about bpf(2), and about nothing else", () => {
    expect(NUMBERS.filter((number) => native(bpfFilter(), number) === ASK)).toEqual([BPF]);
    expect(NUMBERS.filter((number) => native(bpfFilter(), number) === ALLOW)).toHaveLength(NUMBERS.length - 1);
  });
});
