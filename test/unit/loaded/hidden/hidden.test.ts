import { describe, expect, it } from "vitest";
import type { Raw } from "../../../../src/loaded/reads/reads.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE } from "../../../../src/loaded/views/program-report.js";
import { archiveOf, comparisonIn, savedAnswers } from "../../../support/scans.js";

type Answers = Map<string, Raw>;

const numbers = (...values: readonly number[]) => Buffer.from(Uint32Array.from(values).buffer);
const text = (...lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(""));
const strings = (...entries: readonly string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(""));

const ADDRESS = "ffffffffc0001000";
const TAG = "3132333435363738";
const symbol = (address: string, tag: string, name: string) => `${address} t bpf_prog_${tag}_${name}\t[bpf]`;

/** A report of a program with functions at these addresses, and a target in the kernel's BTF. */
function traces(id: number, addresses: readonly string[], target = 0): Buffer {
  const info = Buffer.alloc(PROGRAM_SIZE + 8 * addresses.length);
  info.writeUInt32LE(id, PROGRAM_FIELDS.id);
  info.writeUInt32LE(Math.max(addresses.length, 1), PROGRAM_FIELDS.nr_jited_ksyms);
  info.writeUInt32LE(target === 0 ? 0 : 1, PROGRAM_FIELDS.attach_btf_obj_id);
  info.writeUInt32LE(target, PROGRAM_FIELDS.attach_btf_id);
  for (const [index, address] of addresses.entries())
    info.writeBigUInt64LE(BigInt(`0x${address}`), PROGRAM_SIZE + 8 * index);
  return info;
}

/** What a round asks for beside a scan: program 37, map 5 and link 9 in all views, and a module. */
function roundAnswers(round: number): Answers {
  const known: readonly (readonly [string, Raw])[] = [
    ["@kernel/program-symbols", text(symbol(ADDRESS, TAG, "limit"))],
    ["@kernel/objects", text(`program 37 ${TAG} limit`, "map 5 - flows", "link 9 - ", "next program 38", "next map 6")],
    ["@bpf/program/37/symbols", traces(37, [ADDRESS], 77)],
    ["sys/kernel/tracing/enabled_functions", text("vfs_read (1) R  D  tramp: direct-->bpf_trampoline_6442451021")],
    ["@kernel/modules-in/proc/kallsyms", text("bpf", "ext4")],
    ["@kernel/modules-in/sys/kernel/tracing/available_filter_functions", text("ext4", "__builtin__ftrace")],
    ["sys/kernel/btf/@names", strings("fvmlinux", "fext4")],
    ["@bpf/btf/ids", numbers(1, 2)],
    ["@bpf/btf/1/name", Buffer.from("vmlinux")],
    ["@bpf/btf/2/name", Buffer.from("ext4")],
    ["sys/module/@names", strings("dext4", "dprintk")],
    ["sys/module/ext4/initstate", text("live")],
    ["proc/modules", text("ext4 1024000 1 - Live 0x0000000000000000")],
    ["proc/sys/kernel/tainted", text("4097")],
    ["sys/module/ext4/taint", text("PO")],
    ["sys/module/printk/taint", -2],
  ];
  // later rounds try only suspects, which have no number before them
  const tried = (...ids: readonly number[]) => numbers(...(round === 1 ? [0] : []), ...ids);
  return new Map<string, Raw>([
    ...[...savedAnswers(), ...known].map(([name, raw]): [string, Raw] => [`@round/${round}/${name}`, raw]),
    [`@round/${round}/@bpf/program/tried`, tried(37)],
    [`@round/${round}/@bpf/map/tried`, tried(5)],
    [`@round/${round}/@bpf/link/tried`, tried(9)],
  ]);
}

/** What is found in a scan after which rounds have these other answers, by their names and rounds. */
async function found(change: (set: (name: string, raw: Raw, ...rounds: readonly number[]) => void) => void = () => {}) {
  const answers = new Map([...savedAnswers(), ...[1, 2, 3, 4].flatMap((round) => [...roundAnswers(round)])]);
  change((name, raw, ...rounds) => {
    for (const round of rounds.length === 0 ? [1, 2, 3, 4] : rounds) answers.set(`@round/${round}/${name}`, raw);
  });
  return comparisonIn(await archiveOf(answers));
}

type Set = Parameters<Parameters<typeof found>[0] & {}>[0];

/** A program 41 that can be opened, and is in no list. */
function unlisted(set: Set, ...rounds: readonly number[]): void {
  for (const round of rounds.length === 0 ? [1, 2, 3, 4] : rounds)
    set("@bpf/program/tried", numbers(...(round === 1 ? [0] : []), 41, 37), round);
}

describe("hiddenObjects", () => {
  it("finds nothing where all views show the same", async () => {
    expect(await found()).toEqual({ hidden: [], untried: [], unread: [], taints: "" });
  });

  it("finds a program that no list has", async () => {
    const { hidden } = await found((set) => unlisted(set));
    const seen = { seenBy: ["id"], notSeenBy: ["list", "memory"] };
    expect(hidden).toEqual([{ kind: "program", id: 41, name: null, tag: null, ...seen }]);
  });

  it.each([1, 2, 3, 4])("finds nothing that is missing in round %i: it may have gone", async (gone) => {
    const { hidden } = await found((set) => unlisted(set, ...[1, 2, 3, 4].filter((round) => round !== gone)));
    expect(hidden).toEqual([]);
  });

  it.each([1, 2, 3, 4])("finds nothing that a list has in round %i", async (listed) => {
    const { hidden } = await found((set) => {
      unlisted(set);
      set("@bpf/program/ids", numbers(37, 41, 0), listed);
      set(
        "@kernel/objects",
        text(`program 37 ${TAG} limit`, `program 41 ${TAG} x`, "map 5 - flows", "link 9 - "),
        listed,
      );
    });
    expect(hidden).toEqual([]);
  });

  it("finds what only the kernel's memory has, and names it", async () => {
    const objects = text(
      `program 37 ${TAG} limit`,
      "program 41 00112233445566aa thief",
      "map 5 - flows",
      "map 6 - loot",
      "link 9 - ",
    );
    const { hidden } = await found((set) => {
      set("@kernel/objects", objects);
      set(
        "@kernel/program-symbols",
        text(symbol(ADDRESS, TAG, "limit"), symbol("ffffffffc0002000", "00112233445566aa", "thief")),
      );
    });
    const lost = ["list", "id"];
    expect(hidden.map(({ notSeenBy, ...rest }) => ({ ...rest, notSeenBy: [...notSeenBy] }))).toEqual([
      {
        kind: "program",
        id: 41,
        name: "thief",
        tag: "00112233445566aa",
        seenBy: ["memory", "symbols"],
        notSeenBy: lost,
      },
      { kind: "map", id: 6, name: "loot", tag: null, seenBy: ["memory"], notSeenBy: lost },
    ]);
  });

  it("finds a function of a program that no list has", async () => {
    const other = symbol("ffffffffc0002000", "00112233445566aa", "thief");
    const { hidden } = await found((set) => set("@kernel/program-symbols", text(symbol(ADDRESS, TAG, "limit"), other)));
    const seen = { seenBy: ["symbols"], notSeenBy: ["program"] };
    expect(hidden).toEqual([{ kind: "symbol", id: null, name: "thief", tag: "00112233445566aa", ...seen }]);
  });

  it("counts functions where the kernel hides addresses", async () => {
    const zero = "0".repeat(16);
    const change = (...names: readonly string[]) =>
      found((set) => {
        set("@kernel/program-symbols", text(...names.map((name) => symbol(zero, TAG, name))));
        set("@bpf/program/37/symbols", traces(37, []));
        set("sys/kernel/tracing/enabled_functions", text());
      });
    expect((await change("limit")).hidden).toEqual([]);
    expect((await change("limit", "thief")).hidden).toEqual([
      expect.objectContaining({ kind: "symbol", name: "thief" }),
    ]);
  });

  it("finds a traced function that is the target of no program", async () => {
    const line = "bpf_lsm_bpf_prog (1) R  D  M  tramp: ftrace_regs_caller direct-->bpf_trampoline_6442451099";
    const { hidden } = await found((set) => set("sys/kernel/tracing/enabled_functions", text(line)));
    const seen = { seenBy: ["functions"], notSeenBy: ["targets"] };
    expect(hidden).toEqual([{ kind: "function", id: null, name: "bpf_lsm_bpf_prog", tag: null, ...seen }]);
  });

  it.each([
    ["proc/modules", text(), ["modules"]],
    ["sys/module/@names", strings("dprintk"), ["sysfs"]],
  ] as const)("finds a module that is not in %s", async (name, raw, notSeenBy) => {
    const { hidden } = await found((set) => set(name, raw));
    expect(hidden).toEqual([expect.objectContaining({ kind: "module", name: "ext4", notSeenBy })]);
  });

  it.each([
    [0, "PO", ""],
    [4097, "PO", ""],
    [4097, "P", "O"],
    [4096 + 8192 + 2, "", "FOE"],
    // taints of other causes: a warning, a dead task
    [512 + 128, "", ""],
  ])("names the taints of modules of %i that a module with `%s` does not explain", async (tainted, own, expected) => {
    const { taints, hidden } = await found((set) => {
      set("proc/sys/kernel/tainted", text(String(tainted)));
      set("sys/module/ext4/taint", text(own));
    });
    expect([taints, hidden]).toEqual([expected, []]);
  });

  it("says what it did not try, and blames no view for it", async () => {
    const { hidden, untried } = await found((set) => {
      set("@bpf/program/tried", numbers(50), 1);
      set("@bpf/program/tried", numbers(), 2, 3, 4);
      set("@kernel/objects", -5);
    });
    expect(untried).toEqual([{ kind: "program", upTo: 50 }]);
    expect(hidden).toEqual([]);
  });

  it("says which views it could not read, and compares the others", async () => {
    const { hidden, unread } = await found((set) => {
      set("@kernel/objects", text("- the kernel hides addresses"));
      set("sys/kernel/tracing/enabled_functions", -2);
      unlisted(set);
    });
    expect(unread).toEqual([
      { sight: "memory", reason: "the kernel hides addresses" },
      { sight: "functions", reason: "there is no file system of ftrace at /sys/kernel/tracing" },
    ]);
    expect(hidden).toEqual([expect.objectContaining({ id: 41, seenBy: ["id"], notSeenBy: ["list"] })]);
  });

  it.each([
    ["@kernel/objects", text("program x")],
    ["@bpf/program/tried", numbers()],
    ["@bpf/program/tried", Buffer.alloc(3)],
    ["@bpf/program/37/symbols", Buffer.alloc(8)],
  ] as const)("rejects an archive in which %s is nothing that a scan writes", async (name, raw) => {
    await expect(found((set) => set(name, raw, 1))).rejects.toMatchObject({ code: "SCAN_ARCHIVE_INVALID" });
  });
});
