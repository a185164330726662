import { beforeEach, describe, expect, it, vi } from "vitest";
import { GET } from "../../../../src/gate/call/attr.js";
import { COMMANDS } from "../../../../src/gate/call/command.js";
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

/** The gate's fd of the opened object, and the fd of the looked up path. */
const OPENED = 77;
const PLACE = 70;
const ID = 12;
const BY_ID_SIZE = 12;

/** Every command that opens an object. */
const FETCHING = COMMANDS.flatMap((row) => (row.treatment === "fetch" ? [{ ...row, cmd: row.number }] : []));
const path = FETCHING.find(({ kind }) => kind === "path")!;

type Kind = "program" | "map" | "link";

/** The kernel has an object of a kind, and gives it to who opens it. */
function opens(gate: FakeGate, kind: Kind): void {
  const info = { id: ID, name: "it", type: 6 };
  if (kind === "program")
    kernel.programs.set(OPENED, { ...info, tag: TAG, jitedLength: 8, xlatedLength: 8, verifiedInsns: 1, mapIds: [] });
  if (kind === "map") kernel.maps.set(OPENED, { ...info, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 });
  if (kind === "link") kernel.links.set(OPENED, ID);
  gate.task.result = ({ number }) => (number === NR.openat2 ? PLACE : OPENED);
}

function issue({ objects }: FakeGate, kind: Kind): void {
  if (kind === "map") objects.issue({ id: ID, entry: { creator: 1, memory: 8, exclusive: false } });
  else objects.issue({ id: ID, subject: PROGRAM });
}

const PROGRAM = program("drop-telnet");
const TAG = PROGRAM.tag;

/** Opens by a command's own means: an id, or a path that the kernel finds. */
function fetch(gate: FakeGate, { cmd, kind }: (typeof FETCHING)[number], words: Readonly<Record<number, number>> = {}) {
  if (kind !== "path") return gate.bpf(cmd, attrOf(BY_ID_SIZE, { 0: ID, ...words }));
  return gate.bpf(cmd, attrOf(GET.size, { [GET.pathname]: gate.task.place("/sys/fs/bpf/it"), ...words }));
}

/** How an object of a kind is named in the log if it was not issued. */
const UNISSUED = {
  program: { rule: "existing", hook: "bpf_prog", name: "it", reason: /^program 12 was not handed out here/ },
  map: { rule: "existing", hook: "bpf_map", name: "it", reason: /^map 12 was not handed out here/ },
  link: {
    rule: "existing",
    hook: "bpf",
    name: "link of program 12",
    reason: /^link of program 12 was not handed out here/,
  },
} as const satisfies Record<Kind, FailingCall["denial"]>;

describe.each(FETCHING)("$name", (row) => {
  const kinds: readonly Kind[] = row.kind === "path" ? ["program", "map", "link"] : [row.kind!];
  const size = row.kind === "path" ? GET.size : BY_ID_SIZE;
  itFails({
    "an attr that cannot be read": { errno: 14, call: (gate) => gate.bpf(row.cmd, null, size) },
    "an attr with a field that the gate does not know": {
      errno: 22,
      call: (gate) => gate.bpf(row.cmd, attrOf(size + 8, { [size]: 1 })),
      denial: { rule: "unknown_field", hook: "bpf", name: row.name, reason: /does not know byte/ },
    },
    "an object that the kernel does not open": {
      errno: 2,
      call: (gate) => {
        gate.task.result = ({ number }) => (number === NR.openat2 ? PLACE : -2);
        return fetch(gate, row);
      },
    },
    "an object of a kind that the gate does not know": {
      errno: 2,
      call: (gate) => {
        kernel.names.set(OPENED, "anon_inode:bpf-new");
        gate.task.result = ({ number }) => (number === NR.openat2 ? PLACE : OPENED);
        return fetch(gate, row);
      },
      denial: { rule: "unknown_object", hook: "bpf", name: "anon_inode:bpf-new", reason: /kind `anon_inode:bpf-new`/ },
    },
    ...Object.fromEntries(
      kinds.map((kind): [string, FailingCall] => [
        `a ${kind} that was not issued`,
        {
          errno: 1,
          call: (gate) => {
            opens(gate, kind);
            return fetch(gate, row);
          },
          denial: UNISSUED[kind],
        },
      ]),
    ),
  });

  it.each(kinds)("issues the fd of a %s that was issued before", (kind) => {
    const gate = new FakeGate();
    opens(gate, kind);
    issue(gate, kind);
    expect(fetch(gate, row)).toEqual({ fd: OPENED, issued: null });
    expect([gate.records, gate.task.adopted]).toEqual([[], [OPENED]]);
  });

  it.each(kinds)("opens any %s if gate.existing is allow", (kind) => {
    const gate = new FakeGate();
    gate.settings = { ...gate.settings, existing: "allow" };
    opens(gate, kind);
    expect(fetch(gate, row)).toEqual({ fd: OPENED, issued: null });
  });

  it.each(kinds)("records only the first denial of a %s", (kind) => {
    const gate = new FakeGate();
    opens(gate, kind);
    for (let time = 0; time < 3; time += 1) expect(fetch(gate, row)).toEqual({ result: -1 });
    expect([gate.records.length, gate.counts]).toEqual([1, ["repeats", "repeats"]]);
    expect(gate.task.adopted).toEqual([OPENED, OPENED, OPENED]);
  });

  it("gets no answer if its caller has exited", () => {
    const gate = new FakeGate();
    gate.task.stillWaits = false;
    expect(fetch(gate, row)).toBe("gone");
  });

  it("is denied at hook bpf by a policy's verdict", () => {
    const gate = new FakeGate();
    gate.served.add("bpf");
    gate.verdicts.bpf = -13;
    opens(gate, kinds[0]!);
    expect(fetch(gate, row)).toEqual({ result: -13 });
    expect(gate.task.made.filter(({ number }) => number === NR.bpf)).toEqual([]);
  });

  it.each(kinds.filter((kind) => kind !== "link"))("does not issue the fd of a %s that a policy denies", (kind) => {
    const gate = new FakeGate();
    const hook = kind === "program" ? "bpf_prog" : "bpf_map";
    gate.served.add(hook);
    gate.verdicts[hook] = -13;
    opens(gate, kind);
    issue(gate, kind);
    expect(fetch(gate, row)).toEqual({ result: -13 });
    expect(gate.task.adopted).toEqual([OPENED]);
  });
});

describe("an object that is opened", () => {
  const withheld: FailingCall = {
    errno: 2,
    call: (gate) => {
      opens(gate, "map");
      gate.objects.issue({ id: ID, entry: { creator: 1, memory: 8, exclusive: true, withheld: true } });
      gate.settings = { ...gate.settings, existing: "allow" };
      return fetch(gate, FETCHING.find(({ kind }) => kind === "map")!);
    },
    denial: { rule: "withheld", hook: "bpf_map", name: "it", reason: /map 12 was created by the gate for only one/ },
  };
  const opening = (
    errno: number,
    words: (gate: FakeGate) => Readonly<Record<number, number | bigint>>,
  ): FailingCall => ({
    errno,
    call: (gate) => gate.bpf(path.cmd, attrOf(GET.size, words(gate))),
  });
  itFails({
    "by a path in no memory": opening(14, () => ({ [GET.pathname]: NOWHERE })),
    "by a path that is too long": opening(36, ({ task }) => ({ [GET.pathname]: task.place("a".repeat(5000)) })),
    "by an fd of a path without its flag": opening(22, ({ task }) => ({
      [GET.pathname]: task.place("it"),
      [GET.pathFd]: 4,
    })),
    "by a path that the kernel does not find": {
      errno: 2,
      call: (gate) => {
        gate.task.result = () => -2;
        return fetch(gate, path);
      },
    },
    "by a path through a link of a process": {
      errno: 40,
      call: (gate) => {
        gate.task.result = () => -40;
        return fetch(gate, path);
      },
      denial: { rule: "proc_link", hook: "bpf", name: "BPF_OBJ_GET", reason: /`\/sys\/fs\/bpf\/it` leads through/ },
    },
    "as a program that the kernel rewrote": {
      errno: 1,
      call: (gate) => {
        opens(gate, "program");
        kernel.programs.set(OPENED, { ...kernel.programs.get(OPENED)!, tag: "00" });
        issue(gate, "program");
        return fetch(gate, path);
      },
      denial: { rule: "rewritten", hook: "bpf_prog", name: PROGRAM.name, reason: /its tag is 00/ },
      goesOn: true,
    },
    "as the gate's private copy": withheld,
  });
});
