import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import {
  atMost,
  EXIT,
  Functions,
  insn,
  kernelTypes,
  move,
  namesOf,
  recorded,
  recordedAtMost,
  set,
  usedMap,
  wide,
} from "../../../support/translated.js";

const fixture = (name: string) => recorded(join(import.meta.dirname, "fixtures", `${name}.json`));
const [LOAD, LOAD_WORD, STORE, ADD, IF_ZERO, IF_NOT_ZERO, IF_AT_LEAST, GOTO] = [
  ...[0x79, 0x61, 0x7b, 0x07, 0x15, 0x55, 0x35, 0x05],
] as [number, number, number, number, number, number, number, number];
const PER_CPU = insn(0xbf, 0, 0, -1);

describe("programs as Linux showed them", () => {
  it.each([
    ["opensnoop-enter-6.18", ["decides"]],
    ["opensnoop-exit-6.18", ["reads_kernel_memory", "reads_user_memory", "decides"]],
    ["runqlat-switch-6.18", ["reads_kernel_memory"]],
    ["biolatency-complete-6.18", []],
  ])("%s", (name, effects) => {
    const found = recordedAtMost(fixture(name));
    expect(namesOf(found)).toEqual(effects);
    expect(found.unknown).toEqual([]);
  });

  it("have every effect without names of functions, and the reason", () => {
    const hidden = recordedAtMost(fixture("opensnoop-exit-6.18"), { kallsyms: "0000000000000000 T __bpf_call_base\n" });
    expect(namesOf(hidden)).toEqual(EFFECTS);
    expect(hidden.effects.read_only).toBe(false);
    expect(hidden.unknown).toEqual([expect.stringContaining("kernel.kptr_restrict")]);
    expect(hidden.evidence[0]).toMatchObject({ insn: 41, because: hidden.unknown[0] });
  });

  it("have every effect if one function is not known", () => {
    const program = fixture("opensnoop-exit-6.18");
    const without = program.kallsyms.filter((line) => !line.endsWith(" bpf_get_stack_tp"));
    const found = recordedAtMost(program, { kallsyms: `${without.join("\n")}\n` });
    expect(namesOf(found)).toEqual(EFFECTS);
    expect(found.unknown).toEqual(["calls an address at which no function of the kernel begins"]);
  });
});

describe("what is not known of a program", () => {
  it("is which functions others may replace, without its BTF", () => {
    const found = atMost("xdp", [set(0, 2), EXIT], { btfId: 7 });
    expect(found.unknown).toEqual(["its BTF cannot be read"]);
    expect(namesOf(found)).toEqual(EFFECTS);
  });

  it("may be whether its maps hold pointers, if their BTF is another", () => {
    const [from, to] = [wide(1, 2, 7), wide(2, 2, 8)];
    const program = [from, insn(LOAD, 1, 1), to, insn(STORE, 2, 1), set(0, 1), EXIT];
    const effects = (btfId: number | null) =>
      namesOf(atMost("tracepoint", program, { maps: [usedMap(7, "array", { btfId }), usedMap(8, "array")] }));
    expect(effects(null)).toEqual([]);
    expect(effects(9)).toEqual(["reveals_addresses"]);
  });
});

describe("lookups that the kernel has put in place of calls", () => {
  const functions = new Functions();
  const lookup = functions.call("__htab_map_lookup_elem");
  const key = [insn(0x7a, 10, 0, -8, 0), move(2, 10), insn(ADD, 2, 0, 0, -8)];
  const write = [insn(IF_ZERO, 0, 0, 1), insn(0x7a, 0, 0, 0, 1), set(0, 1), EXIT];
  const effects = (insns: readonly Uint8Array[], type: string, isShared: boolean, value = write) => {
    const maps = [usedMap(7, type, {}, isShared)];
    const program = [...key, wide(1, 1, 7), ...insns, ...value];
    const found = atMost("tracepoint", program, { maps, kallsyms: functions.kallsyms });
    expect(found.unknown).toEqual([]);
    return namesOf(found);
  };

  it.each<readonly [string, string, readonly Uint8Array[]]>([
    ["a hash", "hash", [lookup, insn(IF_ZERO, 0, 0, 1), insn(ADD, 0, 0, 0, 56)]],
    [
      "an LRU hash, whose element it marks",
      "lru_hash",
      [
        ...[lookup, insn(IF_ZERO, 0, 0, 4), insn(0x71, 1, 0, 28), insn(IF_NOT_ZERO, 1, 0, 1)],
        ...[insn(0x72, 0, 0, 28, 1), insn(ADD, 0, 0, 0, 56)],
      ],
    ],
    [
      "a hash per processor",
      "percpu_hash",
      [lookup, insn(IF_ZERO, 0, 0, 3), insn(ADD, 0, 0, 0, 56), insn(LOAD, 0, 0, 0), PER_CPU],
    ],
    [
      "an array",
      "array",
      [
        ...[insn(ADD, 1, 0, 0, 272), insn(LOAD_WORD, 0, 2), insn(IF_AT_LEAST, 0, 0, 3, 4), insn(0x67, 0, 0, 0, 3)],
        ...[insn(0x0f, 0, 1), insn(GOTO, 0, 0, 1), set(0, 0)],
      ],
    ],
    [
      "an array per processor",
      "percpu_array",
      [
        ...[insn(ADD, 1, 0, 0, 256), insn(LOAD_WORD, 0, 2), insn(IF_AT_LEAST, 0, 0, 5, 4), insn(0x67, 0, 0, 0, 3)],
        ...[insn(0x0f, 0, 1), insn(LOAD, 0, 0), PER_CPU, insn(GOTO, 0, 0, 1), set(0, 0)],
      ],
    ],
  ])("%s", (_, type, insns) => {
    expect(effects(insns, type, false)).toEqual([]);
    expect(effects(insns, type, true)).toEqual(["writes_shared_map"]);
  });

  it.each<readonly [string, string, readonly Uint8Array[]]>([
    ["a hash", "hash_of_maps", [lookup, insn(IF_ZERO, 0, 0, 2), insn(ADD, 0, 0, 0, 56), insn(LOAD, 0, 0, 0)]],
    [
      "an array",
      "array_of_maps",
      [
        ...[insn(ADD, 1, 0, 0, 272), insn(LOAD_WORD, 0, 2), insn(IF_AT_LEAST, 0, 0, 5, 4), insn(0x67, 0, 0, 0, 3)],
        ...[insn(0x0f, 0, 1), insn(LOAD, 0, 0), insn(IF_ZERO, 0, 0, 1), insn(GOTO, 0, 0, 1), set(0, 0)],
      ],
    ],
  ])("%s of maps, whose maps are of others", (_, type, insns) => {
    const update = functions.call("bpf_map_update_elem");
    const value = [move(1, 0), move(2, 10), insn(ADD, 2, 0, 0, -8), move(3, 2), set(4, 0), update, set(0, 1), EXIT];
    const all = [insn(IF_ZERO, 0, 0, 6), ...value];
    expect(effects(insns, type, false, all)).toEqual(["writes_shared_map", "changes_socket"]);
  });

  it("in a form that is not known may do anything", () => {
    const program = [...key, wide(1, 1, 7), lookup, insn(ADD, 0, 0, 0, 56), ...write];
    const found = atMost("tracepoint", program, { maps: [usedMap(7, "hash")], kallsyms: functions.kallsyms });
    expect(found.unknown).toEqual(["looks up an element of a map in a way that is not known"]);
  });
});

describe("other calls in whose place are instructions", () => {
  const functions = new Functions();
  const inPlace = (insns: readonly Uint8Array[], type = "raw_tracepoint") =>
    atMost(type, [...insns, set(0, 0), EXIT], { kallsyms: functions.kallsyms });

  it("bpf_get_smp_processor_id", () => {
    expect(namesOf(inPlace([set(0, 0x33000), PER_CPU, insn(LOAD_WORD, 0, 0)]))).toEqual([]);
  });

  it("bpf_get_current_task", () => {
    const store = [wide(1, 2, 9), insn(STORE, 1, 0, 0)];
    expect(namesOf(inPlace([set(0, 0x33000), PER_CPU, insn(LOAD, 0, 0)]))).toEqual(["reads_kernel_memory"]);
    const found = atMost("raw_tracepoint", [set(0, 0x33000), PER_CPU, insn(LOAD, 0, 0), ...store, set(0, 0), EXIT], {
      maps: [usedMap(9, "array")],
    });
    expect(namesOf(found)).toEqual(["reads_kernel_memory", "reveals_addresses"]);
  });

  it("a call that leaves registers as they are", () => {
    const id = 8; // bpf_get_smp_processor_id
    const program = [insn(0x85, 0, 0, 0, id), insn(LOAD, 1, 1, 0), set(0, 0), EXIT];
    expect(namesOf(atMost("raw_tracepoint", program, { kallsyms: functions.kallsyms, machine: "arm64" }))).toEqual([]);
  });

  it("another variable of the processor may be anything", () => {
    const found = inPlace([set(1, 0x33000), insn(0xbf, 1, 1, -1), insn(0x71, 1, 1)]);
    expect(found.unknown).toEqual(["reads a variable of the processor that is not known"]);
  });

  it("bpf_jiffies64", () => {
    const kallsyms = `${functions.kallsyms}ffffffff82000000 D jiffies\nffffffff82000000 D jiffies_64\n`;
    const program = [wide(0, 0, 0x82000000 | 0, -1), insn(LOAD, 0, 0), set(0, 0), EXIT];
    expect(namesOf(atMost("raw_tracepoint", program, { kallsyms }))).toEqual([]);
  });

  it("the address of a symbol", () => {
    const kallsyms = `${functions.kallsyms}ffffffff82000000 D init_task\n`;
    const program = [wide(1, 0, 0x82000000 | 0, -1), set(0, 0), EXIT];
    const found = atMost("raw_tracepoint", program, { kallsyms });
    expect(namesOf(found)).toEqual(["reads_kernel_memory"]);
    expect(found.evidence[0]?.because).toBe("takes the address of kernel symbol `init_task`");
  });

  it("a cast to a structure of the kernel", () => {
    expect(namesOf(inPlace([move(0, 1), insn(LOAD, 0, 0, 8)], "xdp"))).toContain("reads_kernel_memory");
  });

  it("a load from the packet", () => {
    const load = [set(2, 12), functions.call("bpf_skb_load_helper_8_no_cache"), insn(0x75, 0, 0, 2), set(0, 0), EXIT];
    const found = atMost("socket_filter", [...load, set(0, 0), EXIT], { kallsyms: functions.kallsyms });
    expect(namesOf(found)).toEqual(
      ["decides", "redirects"].sort((a, b) => EFFECTS.indexOf(a as never) - EFFECTS.indexOf(b as never)),
    );
    expect(found.unknown).toEqual([]);
  });

  it("the check of a loop's time, with the auxiliary register", () => {
    const check = [
      ...[insn(0x7a, 10, 0, -16, 0xffff), insn(LOAD, 11, 10, -16), insn(IF_ZERO, 11, 0, 5), insn(0x17, 11, 0, 0, 1)],
      ...[insn(IF_NOT_ZERO, 11, 0, 2), set(11, -16), functions.call("arch_bpf_timed_may_goto")],
      insn(STORE, 10, 11, -16),
    ];
    expect(namesOf(inPlace(check))).toEqual([]);
  });

  it("a barrier against speculation", () => {
    expect(namesOf(inPlace([insn(0xc2)]))).toEqual([]);
  });

  it("a tail call", () => {
    const program = [wide(2, 1, 7), set(3, 0), insn(0x85, 0, 0, 0, 12), set(0, 0), EXIT];
    const found = atMost("raw_tracepoint", program, { maps: [usedMap(7, "prog_array")], kallsyms: "" });
    expect(namesOf(found)).toEqual(["tail_calls"]);
  });
});

describe("functions of the program", () => {
  it("are called by an offset in 16 bits", () => {
    const program = [insn(0x85, 0, 1, 1, 7), EXIT, set(0, 3), EXIT];
    expect(namesOf(atMost("xdp", program))).toEqual(["redirects", "decides"]);
    expect(namesOf(atMost("xdp", [insn(0x85, 0, 1, 1, 7), EXIT, set(0, 2), EXIT]))).toEqual([]);
  });

  it("are found beyond the offset's 16 bits", () => {
    const filler = Array.from({ length: 40_000 }, () => set(0, 2));
    const program = [insn(0x85, 0, 1, (40_001 << 16) >> 16, 1), ...filler, EXIT, set(0, 3), EXIT];
    expect(namesOf(atMost("xdp", program))).toEqual([]);
    expect(atMost("xdp", program).unknown).toEqual([]);
  });

  it("may be anything at an address where none begins", () => {
    const found = atMost("xdp", [insn(0x85, 0, 1, 1, 7), set(0, 2), set(0, 2), EXIT]);
    expect(found.unknown).toEqual(["calls an address that is not a function of the program"]);
  });
});

describe("the context as the kernel lays it out", () => {
  const types = kernelTypes();
  const effects = (type: string, insns: readonly Uint8Array[], neutral: number, known = true) =>
    namesOf(atMost(type, [...insns, set(0, neutral), EXIT], { types: known ? types : null }));

  it("has the packet of XDP", () => {
    const write = [insn(LOAD, 2, 1, 0), insn(0x7a, 2, 0, 0, 1)];
    expect(effects("xdp", write, 2)).toEqual(["writes_packet"]);
    expect(effects("xdp", write, 2, false)).toContain("writes_packet");
    expect(effects("xdp", [insn(LOAD, 2, 1, 0), insn(0x71, 3, 2)], 2)).toEqual([]);
  });

  it("has fields behind pointers", () => {
    const ifindex = [insn(LOAD, 2, 1, 32), insn(LOAD, 2, 2, 0), insn(LOAD_WORD, 2, 2, 200)];
    expect(effects("xdp", ifindex, 2)).toEqual([]);
    expect(effects("xdp", [insn(LOAD, 2, 1, 32), insn(LOAD_WORD, 2, 2, 8)], 2)).toEqual([]);
    expect(effects("sched_cls", [insn(LOAD, 2, 1, 16), insn(IF_ZERO, 2, 0, 1), insn(LOAD_WORD, 2, 2, 200)], 0)).toEqual(
      [],
    );
    expect(effects("perf_event", [insn(LOAD, 2, 1, 8), insn(LOAD, 2, 2, 24)], 1)).toEqual([]);
    expect(effects("perf_event", [insn(LOAD, 2, 1, 0), insn(LOAD, 2, 2, 128)], 1)).toEqual([]);
  });

  it.each<readonly [string, readonly Uint8Array[]]>([
    ["another member", [insn(LOAD, 2, 1, 32), insn(LOAD, 2, 2, 0), insn(LOAD_WORD, 2, 2, 204)]],
    ["another register", [insn(LOAD, 2, 1, 32), insn(LOAD, 3, 2, 0), insn(LOAD_WORD, 3, 3, 200)]],
    ["a pointer that is kept", [insn(LOAD, 2, 1, 32), move(3, 2), insn(LOAD, 2, 2, 0), insn(LOAD_WORD, 2, 2, 200)]],
    ["one load less", [insn(LOAD, 2, 1, 32), insn(LOAD, 2, 2, 0)]],
    ["a jump into it", [insn(IF_ZERO, 1, 0, 1), insn(LOAD, 2, 1, 32), insn(LOAD_WORD, 2, 2, 8)]],
  ])("but no memory of the kernel: %s", (_, insns) => {
    expect(effects("xdp", insns, 2)).toContain("reads_kernel_memory");
  });

  it("has sockets, which are read without an effect", () => {
    expect(effects("sched_cls", [insn(LOAD, 2, 1, 24), insn(IF_ZERO, 2, 0, 1), insn(LOAD_WORD, 2, 2, 60)], 0)).toEqual(
      [],
    );
  });

  it("may be written at any field", () => {
    expect(effects("cgroup_sock", [insn(0x62, 1, 0, 500, 1)], 1)).toEqual(["writes_ctx", "changes_socket"]);
    expect(effects("sched_cls", [insn(0x62, 1, 0, 164, 1)], 0)).toEqual(["writes_ctx"]);
  });
});

describe("an attach type that is not known", () => {
  const program = [set(0, 1), EXIT];
  it("decides for a kprobe, whatever it returns", () => {
    expect(namesOf(atMost("kprobe", program, { attachType: "none" }))).toEqual([]);
    const found = atMost("kprobe", program, { attachType: null });
    expect(namesOf(found)).toEqual(["decides"]);
    expect(found.effects.read_only).toBe(true);
    expect(found.evidence.at(-1)?.because).toContain("attach type is not known");
  });

  it("decides for programs that trace or are LSM hooks", () => {
    expect(namesOf(atMost("tracing", [set(0, 0), EXIT]))).toEqual(["decides", "overrides_return"]);
    expect(namesOf(atMost("lsm", [set(0, 0), EXIT]))).toEqual(["decides"]);
    expect(namesOf(atMost("tracing", [set(0, 0), EXIT], { attachType: "modify_return", attachTo: "f" }))).toEqual([]);
  });
});
