import { beforeEach, describe, expect, it, vi } from "vitest";
import { CMD } from "../../../../src/bpf/model/commands.js";
import { ATTACH_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { UNREADABLE } from "../../../../src/gate/call/attr.js";
import { COMMANDS } from "../../../../src/gate/call/command.js";
import type { GateRule } from "../../../../src/gate/call/rules.js";
import { OUT_OF_REACH } from "../../../../src/sys/credentials.js";
import { NR } from "../../../../src/sys/numbers.js";
import { attrOf, type FailingCall, FakeGate, itFails, NOWHERE } from "../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";
import { program } from "../../../support/site.js";

vi.mock("../../../../src/sys/bpf.js", async () => (await import("../../../support/fake-kernel.js")).BPF);
vi.mock("../../../../src/sys/pidfd.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../support/fake-kernel.js")).PIDFD,
}));
vi.mock("../../../../src/sys/file.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../support/fake-kernel.js")).FILES,
}));

beforeEach(resetKernel);

/** The task's fd of a program, the gate's copy of it, and the kernel's id. */
const [OWN, COPY, ID] = [5, 50, 7];
const [OWN_LINK, LINK] = [6, 60];
const XDP_LINK = ATTACH_TYPES.indexOf("xdp");
const XDP = 6;
const KPROBE = 2;
const SYSCALL = 31;
const TOKEN_FD = 1 << 16;
const PATH_FD = 1 << 14;

type Words = Readonly<Record<number, number | bigint>>;

interface Command {
  readonly size: number;
  /** The words of a call that the kernel accepts. */
  readonly words: (gate: FakeGate) => Words;
  /** The errno for a closed fd; null if the command names no object. */
  readonly closed: number | null;
  /** Whether the kernel decides on an object that is closed or no BPF object. */
  readonly anyObject?: true;
  readonly givesFd?: true;
}

const NUMBER_OF = Object.fromEntries(COMMANDS.map(({ name, number }) => [name, number]));

/** Every command whose attr is copied. Offsets in union bpf_attr (linux/bpf.h). */
const COPIED: Readonly<Record<string, Command>> = {
  BPF_OBJ_PIN: { size: 24, words: ({ task }) => ({ 0: task.place("/sys/fs/bpf/p"), 8: OWN }), closed: 22 },
  BPF_PROG_ATTACH: { size: 32, words: () => ({ 4: OWN, 8: 0 }), closed: 9 },
  BPF_PROG_DETACH: { size: 32, words: () => ({ 4: OWN, 8: 0 }), closed: 9, anyObject: true },
  BPF_PROG_TEST_RUN: { size: 80, words: () => ({ 0: OWN }), closed: 9 },
  BPF_RAW_TRACEPOINT_OPEN: {
    size: 24,
    words: ({ task }) => ({ 0: task.place("sched_switch"), 8: OWN }),
    closed: 9,
    givesFd: true,
  },
  BPF_BTF_LOAD: {
    size: 40,
    words: ({ task }) => ({ 0: task.place(new Uint8Array(24)), 16: 24 }),
    closed: null,
    givesFd: true,
  },
  BPF_LINK_CREATE: { size: 64, words: () => ({ 0: OWN, 4: 1, 8: XDP_LINK }), closed: 9, givesFd: true },
  BPF_LINK_UPDATE: { size: 16, words: () => ({ 0: OWN_LINK, 4: OWN }), closed: 9 },
};

interface Given {
  readonly words?: (gate: FakeGate) => Words;
  readonly set?: (gate: FakeGate) => void;
  /** Whether the gate issued the program. */
  readonly issued?: boolean;
  readonly type?: number;
}

/** Makes a command with a program that the gate issued, or as given instead. Hook `bpf` has an attachment. */
function make(gate: FakeGate, name: string, { words, set, issued = true, type = XDP }: Given = {}) {
  const { size, words: usual } = COPIED[name]!;
  gate.served.add("bpf");
  gate.task.fds.set(OWN, COPY).set(OWN_LINK, LINK);
  const info = { type, id: ID, tag: "00", jitedLength: 8, xlatedLength: 8, verifiedInsns: 1, mapIds: [], name: "p" };
  kernel.programs.set(COPY, info);
  kernel.links.set(LINK, ID);
  if (issued) gate.objects.issue({ id: ID, subject: { ...program("drop-telnet"), attach_to: "task" } });
  gate.task.result = ({ number }) => (number === NR.openat2 ? 70 : 0);
  set?.(gate);
  return gate.bpf(NUMBER_OF[name]!, attrOf(size, { ...usual(gate), ...words?.(gate) }));
}

const failing = (errno: number, name: string, given: Given): FailingCall => ({
  errno,
  call: (gate) => make(gate, name, given),
});
const denied = (rule: GateRule, errno: number, reason: RegExp, name: string, given: Given): FailingCall => ({
  ...failing(errno, name, given),
  denial: { rule, hook: "bpf", name, reason },
});
const fixed = (words: Words): Given => ({ words: () => words });
const uprobes = (more: (gate: FakeGate) => Words): Given => ({
  type: KPROBE,
  words: (gate) => ({ 4: 0, 8: ATTACH_TYPES.indexOf("trace_uprobe_multi"), ...more(gate) }),
});
const iterator = (info: Uint8Array): Given => ({
  words: ({ task }) => ({ 4: 0, 8: ATTACH_TYPES.indexOf("trace_iter"), 16: task.place(info), 24: info.byteLength }),
});

const noObjects = () => {
  kernel.programs.clear();
  kernel.links.clear();
};

it("the commands of this file are all whose attr is copied", () => {
  expect(Object.keys(COPIED).sort()).toEqual(
    COMMANDS.filter(({ treatment }) => treatment === "copy")
      .map(({ name }) => name)
      .sort(),
  );
});

describe.each(Object.keys(COPIED))("%s", (name) => {
  const { size, closed, givesFd, anyObject } = COPIED[name]!;
  const objects =
    closed === null || anyObject
      ? {}
      : { "a closed fd": failing(closed, name, { set: ({ task }) => task.fds.clear() }) };
  const unissued: Record<string, FailingCall> =
    closed === null
      ? {}
      : {
          "an object that was not issued": {
            ...denied("existing_use", 1, /was not handed out here/, name, { issued: false }),
            goesOn: true,
          },
          ...(anyObject ? {} : { "an fd that is no BPF object": failing(22, name, { set: noObjects }) }),
        };
  itFails({
    "an attr that cannot be read": {
      errno: 14,
      call: (gate) => {
        gate.served.add("bpf");
        return gate.bpf(NUMBER_OF[name]!, null, size);
      },
    },
    "an attr with a field that the gate does not know": {
      errno: 22,
      call: (gate) => {
        gate.served.add("bpf");
        return gate.bpf(NUMBER_OF[name]!, attrOf(size + 8, { [size]: 1 }));
      },
      denial: { rule: "unknown_field", hook: "bpf", name, reason: new RegExp(`does not know byte ${size}`) },
    },
    "an attr that is longer than the kernel's": {
      errno: 7,
      call: (gate) => {
        gate.served.add("bpf");
        gate.task.result = ({ words }) => (words[0] === CMD.BPF_MAP_FREEZE ? -7 : 0);
        return gate.bpf(NUMBER_OF[name]!, attrOf(size + 8, { [size]: 1 }));
      },
    },
    "an identity that the gate cannot take": denied("out_of_reach", 1, /another user/, name, {
      set: ({ task }) => {
        task.result = () => OUT_OF_REACH;
      },
    }),
    ...objects,
    ...unissued,
  });

  it("is made with the task's identity, and returns what the kernel returns, in audit too", () => {
    for (const audit of [false, true]) {
      const gate = new FakeGate(audit);
      const [result, answer] = givesFd ? [44, { fd: 44, issued: null }] : [0, { result: 0 }];
      const set = ({ task }: FakeGate) => {
        task.result = ({ number }) => (number === NR.openat2 ? 70 : result);
      };
      expect(make(gate, name, { set })).toEqual(answer);
      expect(gate.asked).toEqual([
        { hook: "bpf", subject: expect.objectContaining({ name }), missingCapabilities: [] },
      ]);
    }
  });

  it("fails as the kernel fails it, in audit too", () => {
    for (const audit of [false, true]) {
      const set = ({ task }: FakeGate) => {
        task.result = ({ number }) => (number === NR.openat2 ? 70 : -16);
      };
      expect(make(new FakeGate(audit), name, { set })).toEqual({ result: -16 });
    }
  });

  it("is denied by a policy's verdict", () => {
    const gate = new FakeGate();
    gate.verdicts.bpf = -13;
    expect(make(gate, name)).toEqual({ result: -13 });
    expect(gate.task.made.filter(({ number }) => number === NR.bpf)).toEqual([]);
  });

  it("gets no answer if its caller has exited, and no policy is asked", () => {
    const gate = new FakeGate();
    gate.task.stillWaits = false;
    expect(make(gate, name)).toBe("gone");
    expect(gate.asked).toEqual([]);
  });

  it("is executed by the kernel if no attachment has hook bpf", () => {
    expect(new FakeGate().bpf(NUMBER_OF[name]!, null)).toBe("continue");
  });
});

describe("a copied command", () => {
  itFails({
    "a byte that belongs to no field": denied("unknown_field", 22, /byte 76/, "BPF_PROG_TEST_RUN", fixed({ 76: 1 })),
    "too many repetitions": denied("repeat", 22, /65537 repetitions/, "BPF_PROG_TEST_RUN", fixed({ 32: 65_537 })),
    "a run of a program that calls bpf(2)": denied("loader_run", 1, /gate\.loader_runs/, "BPF_PROG_TEST_RUN", {
      type: SYSCALL,
    }),
    "a run of a program that calls bpf(2), if no attachment answered": denied(
      "loader_run",
      1,
      /none in scope answered/,
      "BPF_PROG_TEST_RUN",
      {
        type: SYSCALL,
        set: (gate) => {
          gate.settings = { ...gate.settings, loaderRuns: "ask" };
          gate.answered = false;
        },
      },
    ),
    "BTF with a token": denied("token", 1, /user namespace/, "BPF_BTF_LOAD", {
      ...fixed({ 32: TOKEN_FD, 36: 9 }),
      set: ({ task }) => {
        task.fds.set(9, 90);
        kernel.names.set(90, "/bpf-token (deleted)");
      },
    }),
    "an attachment of a type that only links have": denied(
      "attach_type",
      22,
      /trace_uprobe_multi/,
      "BPF_PROG_ATTACH",
      fixed({ 8: ATTACH_TYPES.indexOf("trace_uprobe_multi") }),
    ),
    "an attachment of a type without a target": denied("attach_type", 22, /250/, "BPF_PROG_ATTACH", fixed({ 8: 250 })),
    "a detachment of a type without a target": denied("attach_type", 22, /250/, "BPF_PROG_DETACH", fixed({ 8: 250 })),
    "a link of a type without a target": denied("attach_type", 22, /250/, "BPF_LINK_CREATE", fixed({ 8: 250 })),
    "a path in no memory": failing(14, "BPF_OBJ_PIN", fixed({ 0: NOWHERE })),
    "a path that is too long": failing(36, "BPF_OBJ_PIN", {
      words: ({ task }) => ({ 0: task.place("a".repeat(5000)) }),
    }),
    "an empty path": failing(2, "BPF_OBJ_PIN", { words: ({ task }) => ({ 0: task.place("") }) }),
    "a path without a name": failing(17, "BPF_OBJ_PIN", { words: ({ task }) => ({ 0: task.place("//") }) }),
    "an fd of a path without its flag": failing(22, "BPF_OBJ_PIN", fixed({ 16: 4 })),
    "a path that the kernel does not find": failing(2, "BPF_OBJ_PIN", {
      set: ({ task }) => {
        task.result = () => -2;
      },
    }),
    "a path through a link of a process": denied("proc_link", 40, /`\/sys\/fs\/bpf\/` leads through/, "BPF_OBJ_PIN", {
      set: ({ task }) => {
        task.result = () => -40;
      },
    }),
    "uprobes without a path": failing(
      22,
      "BPF_LINK_CREATE",
      uprobes(() => ({ 16: 0n })),
    ),
    "uprobes of a path that is too long": failing(
      22,
      "BPF_LINK_CREATE",
      uprobes(({ task }) => ({ 16: task.place("a".repeat(5000)) })),
    ),
    "uprobes for a program of another type": failing(22, "BPF_LINK_CREATE", {
      ...uprobes(({ task }) => ({ 16: task.place("/bin/sh") })),
      type: XDP,
    }),
    "parameters of an iterator that has none": denied(
      "iterator",
      22,
      /`task_x` has none that it knows/,
      "BPF_LINK_CREATE",
      {
        ...iterator(Uint8Array.of(1, 0, 0, 0)),
        set: ({ objects }) => objects.issue({ id: ID, subject: { ...program("drop-telnet"), attach_to: "task_x" } }),
      },
    ),
  });

  const kprobes = (words: Words) => fixed({ 4: 0, 8: ATTACH_TYPES.indexOf("trace_kprobe_multi"), ...words });
  it.each<[string, string, number, Given]>([
    ["input that is too long", "BPF_PROG_TEST_RUN", 16, fixed({ 8: 2 ** 21, 16: NOWHERE })],
    ["input in no memory", "BPF_PROG_TEST_RUN", 16, fixed({ 8: 8, 16: NOWHERE })],
    ["BTF that is too long", "BPF_BTF_LOAD", 0, fixed({ 16: 2 ** 25 })],
    ["a log that is too long", "BPF_BTF_LOAD", 8, fixed({ 8: 4096n, 20: 2 ** 30 })],
    ["a name in no memory", "BPF_RAW_TRACEPOINT_OPEN", 0, fixed({ 0: NOWHERE })],
    ["uprobes of a path in no memory", "BPF_LINK_CREATE", 16, uprobes(() => ({ 16: NOWHERE }))],
    [
      "uprobes without end",
      "BPF_LINK_CREATE",
      24,
      uprobes(({ task }) => ({ 16: task.place("/bin/sh"), 24: NOWHERE, 48: 2 ** 21 })),
    ],
    ["symbols in no memory", "BPF_LINK_CREATE", 24, kprobes({ 20: 1, 24: NOWHERE })],
  ])("lets the kernel decide about %s, by a pointer that it cannot read", (_, name, at, given) => {
    const gate = new FakeGate();
    const set = ({ task }: FakeGate) => {
      task.result = ({ number }) => (number === NR.openat2 ? 70 : -95);
    };
    expect(make(gate, name, { ...given, set })).toEqual({ result: -95 });
    const attr = gate.task.made.at(-1)?.words[1] as Uint8Array;
    expect(new DataView(attr.buffer, attr.byteOffset).getBigUint64(at, true)).toBe(UNREADABLE);
  });

  it("passes an fd that is no token, and the kernel rejects it", () => {
    const gate = new FakeGate();
    const set = ({ task }: FakeGate) => {
      task.fds.set(9, 90);
      task.result = () => -22;
    };
    expect(make(gate, "BPF_BTF_LOAD", { ...fixed({ 32: TOKEN_FD, 36: 9 }), set })).toEqual({ result: -22 });
    const attr = gate.task.made.at(-1)?.words[1] as Uint8Array;
    expect(new DataView(attr.buffer, attr.byteOffset).getInt32(36, true)).toBe(90);
  });

  it.each<[string, (gate: FakeGate) => void]>([
    ["a closed fd", ({ task }) => task.fds.clear()],
    ["an fd of no BPF object", noObjects],
  ])("detaches like the kernel by %s, and names no program", (_, set) => {
    const gate = new FakeGate();
    expect(make(gate, "BPF_PROG_DETACH", { set })).toEqual({ result: 0 });
    expect(gate.asked).toMatchObject([{ subject: { program: null, map: null } }]);
  });

  it("gives the kernel no fd of the task's in an iterator's parameters", () => {
    const gate = new FakeGate();
    make(gate, "BPF_LINK_CREATE", iterator(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0)));
    const info = gate.task.made.at(-1)?.held.at(-1) as Uint8Array;
    expect([...info]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
  });

  it("writes to the task what the kernel writes", () => {
    const gate = new FakeGate();
    make(gate, "BPF_PROG_TEST_RUN", { words: () => ({ 12: 4, 24: 4096n }) });
    expect(gate.task.written[0]).toEqual({ address: 4096n, bytes: new Uint8Array(4) });
    expect(gate.task.written.slice(1).every(({ bytes }) => bytes.byteLength === 4)).toBe(true);
  });

  it("is left to the kernel if it runs a program that calls bpf(2) and an attachment allowed it", () => {
    const gate = new FakeGate();
    gate.settings = { ...gate.settings, loaderRuns: "ask" };
    expect(make(gate, "BPF_PROG_TEST_RUN", { type: SYSCALL })).toBe("continue");
  });

  it("uses any object if gate.existing is allow", () => {
    const gate = new FakeGate();
    gate.settings = { ...gate.settings, existing: "allow" };
    expect(make(gate, "BPF_OBJ_PIN", { issued: false })).toEqual({ result: 0 });
  });

  it("looks a path up in the folder of the fd that it names", () => {
    const gate = new FakeGate();
    gate.task.fds.set(9, 90);
    make(gate, "BPF_OBJ_PIN", fixed({ 12: PATH_FD, 16: 9 }));
    expect(gate.task.made[0]?.words[0]).toBe(90);
  });
});
