import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FileSubject } from "../../../../src/hooks/subject.js";
import { NR } from "../../../../src/sys/numbers.js";
import { type FailingCall, FakeGate, itFails, NOWHERE } from "../../../support/fake-gate.js";
import { resetKernel } from "../../../support/fake-kernel.js";
import { moduleFile, namedModule, structModule } from "../../../support/module-file.js";

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

const [OWN, COPY] = [5, 50];
const MODULE = namedModule("hello", ["name=hello"]);

interface Given {
  /** Arguments in place of the usual ones, by index. */
  readonly words?: Readonly<Record<number, bigint>>;
  readonly set?: (gate: FakeGate) => void;
}

/** Loads a module from memory (init_module) or from a file (finit_module). */
function load(gate: FakeGate, by: "memory" | "file", { words, set }: Given = {}) {
  const { task } = gate;
  task.fds.set(OWN, COPY);
  task.files.set(COPY, MODULE);
  const parameters = task.place("debug=1");
  set?.(gate);
  const [number, usual] =
    by === "file"
      ? [NR.finit_module, [BigInt(OWN), parameters, 0n]]
      : [NR.init_module, [task.place(MODULE), BigInt(MODULE.byteLength), parameters]];
  const given = usual.map((word, index) => words?.[index] ?? word);
  return gate.call(number, given);
}

const failing = (errno: number, by: "memory" | "file", given: Given): FailingCall => ({
  errno,
  call: (gate) => load(gate, by, given),
});
const denied = (
  rule: "unreadable" | "too_large",
  errno: number,
  reason: RegExp,
  ...of: ["memory" | "file", Given]
) => ({
  ...failing(errno, ...of),
  denial: { rule, hook: "kernel_read_file" as const, name: "module", reason },
});

describe("a kernel module", () => {
  itFails({
    "of a task without CAP_SYS_MODULE": failing(1, "file", {
      set: (gate) => {
        gate.current = { ...gate.current, capabilities: [] };
      },
    }),
    "of a closed fd": failing(9, "file", { set: ({ task }) => task.fds.clear() }),
    "of a file that cannot be read": denied("unreadable", 22, /its file cannot be read/, "file", {
      set: ({ task }) => task.files.clear(),
    }),
    "of no bytes": failing(8, "memory", { words: { 1: 0n } }),
    "of too many bytes": denied("too_large", 7, /a module of 1073741824 bytes/, "memory", { words: { 1: 2n ** 30n } }),
    "in no memory": failing(14, "memory", { words: { 0: NOWHERE } }),
    "with parameters in no memory": failing(14, "file", { words: { 1: NOWHERE } }),
    "with parameters that are too long": {
      errno: 7,
      call: (gate) => load(gate, "file", { words: { 1: gate.task.place("a".repeat(65_536)) } }),
      denial: { rule: "too_large", hook: "kernel_read_file", name: "module", reason: /a text of parameters/ },
    },
  });

  it.each(["memory", "file"] as const)("from %s is loaded from the gate's copy", (by) => {
    const gate = new FakeGate();
    expect(load(gate, by)).toEqual({ result: 0 });
    expect(gate.asked).toMatchObject([{ hook: "kernel_read_file", subject: { name: "hello", parameters: "debug=1" } }]);
    expect(gate.task.made).toMatchObject([{ number: NR.finit_module, words: [91, expect.anything(), 0] }]);
    expect(gate.task.admitted).toBe(1);
  });

  /** The subject of a module that is loaded from a file. */
  function subjectOf(bytes: Uint8Array, set: (gate: FakeGate) => void = () => {}, flags = 0n): FileSubject {
    const gate = new FakeGate();
    const words = { 2: flags };
    const all = (its: FakeGate) => {
      its.task.files.set(COPY, bytes);
      set(its);
    };
    expect(load(gate, "file", { words, set: all })).toEqual({ result: 0 });
    return gate.asked[0]!.subject as FileSubject;
  }

  it.each<[what: string, bytes: Uint8Array, name: string | null]>([
    ["struct module", namedModule("hello"), "hello"],
    ["struct module, which .modinfo has too", namedModule("a_b", ["license=GPL", "name=a_b", "name=other"]), "a_b"],
    ["struct module, up to its 56 bytes", namedModule("m".repeat(80)), "m".repeat(56)],
    ["a file without struct module", namedModule(null), null],
    ["an empty name", namedModule(""), null],
    ["a file that is no ELF file", Buffer.from("\x1f\x8b compressed"), null],
  ])("has the name of %s", (_, bytes, name) => expect(subjectOf(bytes).name).toBe(name));

  it("has no name if the kernel decompresses it, whatever its bytes look like", () => {
    expect(subjectOf(MODULE, undefined, 4n).name).toBeNull();
  });

  it("has the path of its file, null from memory, and none if it is unknown", () => {
    const at = (path: string | null) =>
      subjectOf(MODULE, ({ task }) => {
        task.paths.set(COPY, { path });
      });
    expect(at("/lib/modules/hello.ko").path).toBe("/lib/modules/hello.ko");
    expect(at(null).path).toBeNull();
    expect(subjectOf(MODULE)).not.toHaveProperty("path");
    const gate = new FakeGate();
    load(gate, "memory");
    expect(gate.asked).toMatchObject([{ subject: { path: null } }]);
  });

  describe("is denied by the gate, before policies are asked,", () => {
    const given = (bytes: Uint8Array): Given => ({ set: ({ task }) => task.files.set(COPY, bytes) });
    const named = (reason: RegExp, bytes: Uint8Array) => ({
      ...failing(22, "file", given(bytes)),
      denial: { rule: "module_name" as const, hook: "kernel_read_file" as const, name: "module", reason },
    });
    const cut = MODULE.slice(0, -1);
    const twice = moduleFile([
      [".gnu.linkonce.this_module", structModule("a")],
      [".gnu.linkonce.this_module", structModule("b")],
    ]);
    itFails({
      "with another name in .modinfo": named(/as `a`, and its .modinfo names it `b`/, namedModule("a", ["name=b"])),
      "with a name in .modinfo alone": named(/as ``, and its .modinfo names it `b`/, namedModule(null, ["name=b"])),
      "with an empty name in .modinfo": named(/names it ``/, namedModule("a", ["name="])),
      "with two names": denied("unreadable", 22, /more than one section/, "file", given(twice)),
      "with a malformed file": denied("unreadable", 22, /its ELF file is malformed/, "file", given(cut)),
    });
  });

  it("is left to the kernel in audit, once policies were asked", () => {
    const gate = new FakeGate(true);
    expect(load(gate, "file")).toBe("continue");
    expect([gate.asked.length, gate.task.made]).toEqual([1, []]);
  });

  it("is denied by a policy's verdict", () => {
    const gate = new FakeGate();
    gate.verdicts.kernel_read_file = -13;
    expect(load(gate, "file")).toEqual({ result: -13 });
    expect(gate.task.made).toEqual([]);
  });

  it("gets no answer if its caller has exited, and no policy is asked", () => {
    const gate = new FakeGate();
    gate.task.stillWaits = false;
    expect(load(gate, "file")).toBe("gone");
    expect(gate.asked).toEqual([]);
  });

  describe("of the agent of a sealed machine", () => {
    const agent = (answered = true) => {
      const gate = new FakeGate();
      gate.settings = { ...gate.settings, tickets: true };
      gate.answered = answered;
      return gate;
    };

    it("is loaded with the agent's copy of its parameters", () => {
      const gate = agent();
      expect(load(gate, "memory")).toEqual({ result: 0 });
      const [{ words }] = gate.task.made as unknown as [{ words: readonly [number, Uint8Array, number] }];
      expect(Buffer.from(words[1]).toString()).toBe("debug=1\0");
    });

    it("is left to the guard if no policy answered, since the guard would allow the agent's own call", () => {
      const gate = agent(false);
      expect(load(gate, "file")).toBe("continue");
      expect([gate.asked.length, gate.task.made]).toEqual([1, []]);
    });

    it("is recorded as denied by the guard, which policies had allowed", () => {
      const gate = agent();
      gate.task.result = () => -1;
      expect(load(gate, "file")).toEqual({ result: -1 });
      expect(gate.records).toMatchObject([{ rule: "ticket", hook: "kernel_read_file" }]);
    });
  });

  it("gets the kernel's errno", () => {
    const gate = new FakeGate();
    gate.task.result = () => -126;
    expect(load(gate, "file")).toEqual({ result: -126 });
  });
});
