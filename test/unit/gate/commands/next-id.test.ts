import { beforeEach, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../../../../src/gate/call/command.js";
import { NR } from "../../../../src/sys/numbers.js";
import { attrOf, FakeGate, itFails } from "../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";
import { program } from "../../../support/site.js";

vi.mock("../../../../src/sys/bpf.js", async () => (await import("../../../support/fake-kernel.js")).BPF);

beforeEach(resetKernel);

const LISTING = COMMANDS.flatMap((row) => (row.treatment === "list" ? [{ ...row, cmd: row.number }] : []));
const SIZE = 8;
const PROGRAM = program("drop-telnet");
/** Ids in use; those of `OWN` were handed out here, and 9 of the same container no longer exists. */
const USED = [2, 3, 5, 8, 13, 21];
const OWN = [3, 8, 9, 21];

/** A gate that handed these objects out, on a kernel that has others too. */
function gateWith(kind: "program" | "map" | "link"): FakeGate {
  const gate = new FakeGate();
  kernel.ids[kind] = USED;
  for (const id of OWN)
    if (kind === "map") gate.objects.issue({ id, entry: { creator: 1, memory: 8, exclusive: false } });
    else gate.objects.issue({ id: kind === "link" ? 100 + id : id, subject: PROGRAM });
  if (kind === "link") for (const id of USED) kernel.links.set(id, 100 + id);
  gate.task.result = () => (kernel.ids[kind].length > 0 ? 0 : -2);
  return gate;
}

it("has every command that names the next id, but of BTF", () => {
  expect(LISTING.map(({ name }) => name)).toEqual([
    "BPF_PROG_GET_NEXT_ID",
    "BPF_MAP_GET_NEXT_ID",
    "BPF_LINK_GET_NEXT_ID",
  ]);
});

describe.each(LISTING)("$name", ({ cmd, kind, name }) => {
  /** Asks until the end, as tools do: the ids, and the last answer. */
  function list(gate: FakeGate) {
    const ids: number[] = [];
    for (let start = 0; ; start = ids.at(-1)!) {
      const answer = gate.bpf(cmd, attrOf(SIZE, { 0: start }));
      if (typeof answer !== "object" || !("result" in answer) || answer.result !== 0) return { ids, answer };
      const written = gate.task.written.at(-1)!.bytes;
      ids.push(new DataView(written.buffer, written.byteOffset).getUint32(0, true));
    }
  }

  it("names only what was handed out here and exists, and then says that there is no more", () => {
    expect(list(gateWith(kind))).toEqual({ ids: [3, 8, 21], answer: { result: -2 } });
  });

  it("names nothing where nothing was handed out", () => {
    const gate = new FakeGate();
    kernel.ids[kind] = USED;
    for (const id of USED) kernel.links.set(id, 100 + id);
    gate.task.result = () => 0;
    expect(list(gate)).toEqual({ ids: [], answer: { result: -2 } });
  });

  it("asks the kernel with the task's identity, and hands its error on", () => {
    const gate = gateWith(kind);
    gate.task.result = ({ number }) => (number === NR.bpf ? -1 : 0);
    expect(list(gate)).toEqual({ ids: [], answer: { result: -1 } });
  });

  it.each(["allow", "audit"])("leaves the call to the kernel under %s", (setting) => {
    const gate = new FakeGate(setting === "audit");
    if (setting === "allow") gate.settings = { ...gate.settings, existing: "allow" };
    expect(gate.bpf(cmd, attrOf(SIZE, { 0: 0 }))).toBe("continue");
  });

  it("is denied at hook bpf by a policy's verdict", () => {
    const gate = gateWith(kind);
    gate.served.add("bpf");
    gate.verdicts.bpf = -13;
    expect(gate.bpf(cmd, attrOf(SIZE, { 0: 0 }))).toEqual({ result: -13 });
  });

  it("gets no answer if its caller has exited", () => {
    const gate = gateWith(kind);
    gate.task.stillWaits = false;
    expect(gate.bpf(cmd, attrOf(SIZE, { 0: 0 }))).toBe("gone");
  });

  itFails({
    "an attr that cannot be read": { errno: 14, call: (gate) => gate.bpf(cmd, null, SIZE) },
    "an attr with a field that the gate does not know": {
      errno: 22,
      call: (gate) => gate.bpf(cmd, attrOf(SIZE + 8, { [SIZE]: 1 })),
      denial: { rule: "unknown_field", hook: "bpf", name, reason: /does not know byte/ },
    },
  });
});

it("names no map that the gate created for only one program", () => {
  const gate = gateWith("map");
  gate.objects.issue({ id: 13, entry: { creator: 1, memory: 8, exclusive: true, withheld: true } });
  expect(gate.objects.nextMap(8)).toBe(21);
});
