import { describe, expect, it } from "vitest";
import { assemble } from "../../../../src/bpf/assembly/assembly.js";
import { parse } from "../../../../src/bpf/assembly/assembly-lines.js";
import { mapMemory } from "../../../../src/bpf/model/map-memory.js";
import { BpfObject } from "../../../../src/bpf/object.js";
import { programDetailsOf } from "../../../../src/bpf/report/program-details.js";
import { example } from "../../../support/examples.js";

const details = (object: string, name: string) => {
  const read = new BpfObject(example(object));
  return programDetailsOf(read.program(read.functions.find((each) => each.name === name)!));
};
const of = (text: string) => programDetailsOf(assemble(parse(text), { type: "xdp" }));

describe("a program's details", () => {
  it("lists its functions, and what its maps are to others", () => {
    const limit = details("rate-limit", "limit");
    expect(limit.functions.map(({ name, insn_cnt }) => [name, insn_cnt])).toEqual([
      ["limit", 31],
      ["weigh", 11],
      ["take", 26],
      ["earned", 14],
    ]);
    expect(
      limit.maps.map(({ name, own, program_access, user_access }) => [name, own, program_access, user_access]),
    ).toEqual([
      ["buckets", false, "rw", "rw"],
      [".bss", true, "rw", "rw"],
      [".data", true, "rw", "rw"],
      [".rodata", true, "r", "r"],
    ]);
  });

  it("lists what the load changes, by name", () => {
    expect(details("switch-watch", "watch_switch").relocations).toContainEqual({
      insn: 3,
      kind: "core",
      what: "offset of field struct task_struct.pid",
    });
    expect(details("exec-guard", "guard").relocations).toEqual([
      { insn: 1, kind: "kfunc", what: "bpf_task_from_pid" },
      { insn: 5, kind: "kfunc", what: "bpf_task_release" },
    ]);
    expect(details("exec-guard", "watch").relocations).toEqual([{ insn: 2, kind: "ksym", what: "init_task" }]);
    expect(details("drop-telnet", "drop_telnet").relocations).toEqual([]);
  });

  it("names the helpers that need a GPL-compatible licence", () => {
    expect(details("peek-tc", "peek").gpl_only_helpers).toEqual(["bpf_get_current_task", "bpf_probe_read_kernel"]);
    expect(details("xdp-steer", "count").gpl_only_helpers).toEqual([]);
  });

  it("counts tail calls", () => {
    expect(details("kill-writer", "kill_writer").tail_calls).toBe(1);
  });

  it("measures the longest way through branches", () => {
    expect(of("r0 = 0; if r1 == 0 goto far; r0 = 1; r0 = 2; r0 = 3; far: exit")).toMatchObject({
      loops: 0,
      max_executed: 6,
      stack_depth: 32,
    });
  });

  it("adds subprograms to the way and to the stack", () => {
    const text = `
      *(u64 *)(r10 - 40) = 1
      call sub
      call sub
      exit
      fn sub:
      *(u64 *)(r10 - 8) = 1
      r0 = 0
      exit`;
    expect(of(text)).toMatchObject({ max_executed: 4 + 3 + 3, stack_depth: 64 + 32 });
  });

  it("knows what the verifier bounds, and what nothing does", () => {
    const loop = "r1 = 0; again: r1 += 1; if r1 != 9 goto again; r0 = 0; exit";
    expect(of(loop)).toMatchObject({ loops: 1, max_executed: 1_000_000 });
    expect(details("rate-limit", "limit").max_executed).toBeNull(); // bpf_loop
    const recursion = "call sub; exit; fn sub: call sub; exit";
    expect(of(recursion)).toMatchObject({ stack_depth: null, max_executed: null });
  });

  it("says so where control flow cannot be read", () => {
    expect(of("r0 = 0; exit; r0 = 1")).toMatchObject({ loops: null, stack_depth: null, max_executed: null });
  });
});

describe("a map's memory", () => {
  it.each([
    ["array", { key_size: 4, value_size: 5, max_entries: 10 }, { fixed: 80, perCpu: 0 }],
    ["percpu_array", { key_size: 4, value_size: 8, max_entries: 10 }, { fixed: 80, perCpu: 80 }],
    ["hash", { key_size: 4, value_size: 4, max_entries: 10 }, { fixed: 10 * 64 + 16 * 16, perCpu: 0 }],
    ["ringbuf", { key_size: 0, value_size: 0, max_entries: 65536 }, { fixed: 65536 + 3 * 4096, perCpu: 0 }],
    ["arena", { key_size: 0, value_size: 0, max_entries: 3 }, { fixed: 3 * 4096, perCpu: 0 }],
  ])("of type %s is counted as the kernel counts it", (type, sizes, memory) => {
    expect(mapMemory({ type, ...sizes })).toEqual(memory);
  });

  it("of a type that is not known is counted as that of a hash", () => {
    const sizes = { key_size: 8, value_size: 8, max_entries: 4 };
    expect(mapMemory({ type: "unknown", ...sizes })).toEqual(mapMemory({ type: "hash", ...sizes }));
  });
});
