/**
 * The rules that spare a program an effect, each with the nearest programs that they must not spare. Assembly as in
 * src/bpf/assembly/assembly.ts.
 */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf, type Surroundings } from "../../../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../../../src/bpf/model/code.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";

const ring = (name: string, more: Partial<CodeMap> = {}) =>
  mapOf(name, { type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096, ...more });
const maps = {
  own: mapOf("own", { value_size: 64 }),
  pinned: mapOf("pinned", { own: false, value_size: 64 }),
  ring: ring("ring"),
  pinnedRing: ring("pinnedRing", { own: false }),
  rings: mapOf("rings", { type: "array_of_maps", inner: ring("rings.inner", { own: false }), ownInner: true }),
  pinnedRings: mapOf("pinnedRings", { type: "array_of_maps", own: false, inner: ring("inner"), ownInner: true }),
  liveRings: mapOf("liveRings", { type: "array_of_maps" }),
  storage: mapOf("storage", { type: "task_storage", value_size: 64 }),
};

interface Given extends Surroundings {
  readonly kernelProbe?: boolean;
}

/** The effects that change something: those that end `read_only`. */
function changes(text: string, { kernelProbe, ...given }: Given): string[] {
  const code = codeOf(text, { maps, ...given });
  const { evidence } = effectsOf(kernelProbe === undefined ? code : { ...code, kernelProbe });
  return EFFECTS.filter((effect) => evidence.some((entry) => entry.effect === effect && entry.ends_read_only));
}

const KPROBE = { type: "kprobe" };
const RAW = { type: "raw_tracepoint" };
const TRACED = { type: "tracing", expectedAttachType: "trace_raw_tp" };
const XDP = { type: "xdp" };
const OBJECT = ["writes_packet", "changes_socket", "changes_kernel_state"];
const lookup = (map: string, then: string) =>
  `*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map ${map}; call bpf_map_lookup_elem; if r0 == 0 goto out; ${then}; out: r0 = 0; exit`;

describe("a store into the context that the verifier of every kernel rejects", () => {
  const text = "*(u64 *)(r1 + 0) = 1; r0 = 0; exit";

  it.each([
    ["tracepoint", null],
    ["raw_tracepoint", null],
    ["raw_tracepoint_writable", null],
    ["perf_event", null],
    ["tracing", "trace_fentry"],
    ["tracing", "trace_raw_tp"],
  ])("is no effect: %s %s", (type, expectedAttachType) => {
    expect(changes(text, { type, expectedAttachType })).toEqual([]);
  });

  it("is one of a program that a kernel since 6.19 may load for uprobes", () => {
    const registers = ["writes_user_memory", "writes_ctx", "overrides_return"];
    expect(changes(text, KPROBE)).toEqual(registers);
    expect(changes(text, { ...KPROBE, kernelProbe: false })).toEqual(registers);
    expect(changes(text, { ...KPROBE, kernelProbe: true })).toEqual([]);
    const probe = { ...codeOf(text, KPROBE), kernelProbe: true };
    expect([effectsOf(probe).asDeclared, effectsOf(codeOf(text, RAW)).asDeclared]).toEqual([true, false]);
  });

  it.each([
    ["sched_cls", null],
    ["lsm", "lsm_mac"],
    ["struct_ops", null],
    ["ext", null],
    ["cgroup_sock_addr", "cgroup_inet4_connect"],
  ])("is one where a kernel may accept it: %s", (type, expectedAttachType) => {
    expect(changes(text, { type, expectedAttachType })).toContain("writes_ctx");
  });

  it("is one where a helper stores, which other rules check", () => {
    expect(changes("r2 = 8; r3 = 0; call bpf_probe_read_kernel; r0 = 0; exit", RAW)).toEqual(["writes_ctx"]);
  });

  it("leaves the buffer of a writable tracepoint one", () => {
    const buffer = "r1 = *(u64 *)(r1 + 0); *(u64 *)(r1 + 0) = 1; r0 = 0; exit";
    expect(changes(buffer, { type: "raw_tracepoint_writable" })).toEqual(["changes_kernel_state"]);
  });
});

describe("a store into a kernel object that the verifier of every kernel rejects", () => {
  const task = "call bpf_get_current_task_btf; *(u32 *)(r0 + 108) = 1; r0 = 0; exit";

  it.each(["kprobe", "tracepoint", "raw_tracepoint", "perf_event"])("is no effect: %s", (type) => {
    expect(changes(task, { type })).toEqual([]);
  });

  it("is none at the end of a chain of objects, nor of one that a map held", () => {
    expect(changes("r1 = *(u64 *)(r1 + 0); r1 = *(u64 *)(r1 + 8); *(u64 *)(r1 + 8) = 1; r0 = 0; exit", TRACED)).toEqual(
      [],
    );
    expect(changes(lookup("own", "r1 = *(u64 *)(r0 + 0); *(u64 *)(r1 + 8) = 1"), TRACED)).toEqual([]);
  });

  it.each(["xdp", "sched_cls", "sched_act"])("is one where the type has btf_struct_access: %s", (type) => {
    expect(changes(task, { type })).toEqual(expect.arrayContaining(OBJECT));
  });

  it("is one in a struct_ops program, which may write to what it is given", () => {
    const text = "r1 = *(u64 *)(r1 + 0); *(u64 *)(r1 + 8) = 1; r0 = 0; exit";
    expect(changes(text, { type: "struct_ops" })).toEqual(expect.arrayContaining(OBJECT));
  });

  it.each([
    ["a kernel variable", "r1 = ksym jiffies; *(u64 *)(r1 + 0) = 1; r0 = 0; exit"],
    ["a per-CPU variable", "r1 = ksym v; r2 = 0; call bpf_per_cpu_ptr; *(u64 *)(r0 + 0) = 1; r0 = 0; exit"],
    ["this CPU's variable", "r1 = ksym v; call bpf_this_cpu_ptr; *(u64 *)(r0 + 0) = 1; r0 = 0; exit"],
  ])("is one into %s, which kernels before 5.17 accept", (_, text) => {
    expect(changes(text, TRACED)).toEqual(OBJECT);
  });

  it("is one where a helper stores, which older kernels check as a read", () => {
    const text = "call bpf_get_current_task_btf; r1 = r0; r2 = 8; r3 = 0; call bpf_probe_read_kernel; r0 = 0; exit";
    expect(changes(text, TRACED)).toEqual(OBJECT);
  });

  it("is one where a global function gets the object, which it takes for memory", () => {
    const text = (kind: string) =>
      `call bpf_get_current_task_btf; r1 = r0; call put; r0 = 0; exit; ${kind} put: *(u64 *)(r1 + 8) = 1; r0 = 0; exit`;
    expect(changes(text("fn"), TRACED)).toEqual([]);
    expect(changes(text("global"), TRACED)).toEqual(OBJECT);
  });

  it("is one where the pointer may be something else", () => {
    const text = `r6 = ksym v; call bpf_get_prandom_u32; if r0 == 0 goto both; call bpf_get_current_task_btf; r6 = r0;
      both: *(u64 *)(r6 + 8) = 1; r0 = 0; exit`;
    expect(changes(text, TRACED)).toEqual(OBJECT);
    expect(changes("call kfunc bpf_not_known_to_anybody; *(u64 *)(r0 + 8) = 1; r0 = 0; exit", TRACED)).toEqual(
      expect.arrayContaining(OBJECT),
    );
  });
});

describe("an object of the program's own", () => {
  it("may be taken out of its map, changed and put back", () => {
    const text = lookup(
      "own",
      `r6 = r0; r1 = r0; r2 = 0; call bpf_kptr_xchg; if r0 == 0 goto out; r1 = *(u64 *)(r0 + 0); r1 += 1;
      *(u64 *)(r0 + 0) = r1; r1 = r6; r2 = r0; call bpf_kptr_xchg`,
    );
    expect(changes(text, TRACED)).toEqual([]);
  });

  it("is others' in a map that it did not bring along", () => {
    const taken = lookup("pinned", "r1 = r0; r2 = 0; call bpf_kptr_xchg; if r0 == 0 goto out; *(u64 *)(r0 + 0) = 1");
    expect(changes(taken, TRACED)).toEqual(["writes_shared_map"]);
    const { evidence } = effectsOf(codeOf(taken, { maps, ...TRACED }));
    expect(evidence.filter(({ because }) => because.startsWith("stores into map `pinned`"))).toHaveLength(1);
    expect(changes(lookup("pinned", "r1 = *(u64 *)(r0 + 0); *(u64 *)(r1 + 0) = 1"), TRACED)).toEqual([
      "writes_shared_map",
    ]);
  });

  it("is user memory where the map can hold pointers to it", () => {
    const text = `call bpf_get_current_task_btf; r1 = map storage; r2 = r0; r3 = 0; r4 = 0; call bpf_task_storage_get;
      if r0 == 0 goto out; r1 = *(u64 *)(r0 + 0); if r1 == 0 goto out; *(u64 *)(r1 + 0) = 1; out: r0 = 0; exit`;
    expect(changes(text, TRACED)).toEqual(["writes_user_memory"]);
  });
});

describe("a pointer to which something that may be a pointer is added", () => {
  const length = "r1 = *(u64 *)(r0 + 0); r0 += r1; *(u8 *)(r0 + 8) = 0";

  it("stays what it is", () => {
    expect(changes(lookup("own", length), XDP)).not.toContain("changes_kernel_state");
    expect(changes(lookup("own", "r1 = *(u64 *)(r0 + 0); r1 += r0; *(u8 *)(r1 + 8) = 0"), XDP)).not.toContain(
      "changes_kernel_state",
    );
    expect(changes("r2 = *(u32 *)(r1 + 0); r1 = r10; r1 += -8; r0 = r1; r0 -= r2; r0 = 2; exit", XDP)).toEqual([]);
  });

  it("may be the other where that is not NULL, but a number", () => {
    const text = lookup(
      "own",
      "r6 = *(u32 *)(r6 + 0); r1 = *(u64 *)(r0 + 0); if r1 == 0 goto out; r1 += r6; *(u8 *)(r1 + 0) = 1",
    );
    expect(changes(`r6 = r1; ${text}`, XDP)).toContain("writes_packet");
  });

  it("is the other where it was NULL", () => {
    const text = (sum: string) => `r6 = *(u32 *)(r1 + 0); *(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map own;
      call bpf_map_lookup_elem; if r0 != 0 goto out; ${sum}; out: r0 = 2; exit`;
    expect(changes(text("r0 += r6; *(u8 *)(r0 + 0) = 1"), XDP)).toEqual(["writes_packet"]);
    expect(changes(text("r6 += r0; *(u8 *)(r6 + 0) = 1"), XDP)).toEqual(["writes_packet"]);
  });

  it("is the other where it was NULL, found by another comparison", () => {
    for (const condition of ["r0 > 0", "r0 s> 0", "w0 != 0", "r0 & 1", "r0 != r7"]) {
      const text = `r6 = *(u32 *)(r1 + 0); *(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map own;
        call bpf_map_lookup_elem; r7 = 0; if ${condition} goto out; r0 += r6; *(u8 *)(r0 + 0) = 1; out: r0 = 2; exit`;
      expect(changes(text, XDP), condition).toEqual(["writes_packet"]);
    }
  });

  it.each([
    ["call bpf_ringbuf_reserve", "r1 = map ring; r2 = 8; r3 = 0; call bpf_ringbuf_reserve"],
    ["call kfunc bpf_obj_new_impl", "r1 = 1; r2 = 0; call kfunc bpf_obj_new_impl"],
    ["call bpf_dynptr_data", "r1 = r10; r1 += -16; r2 = 0; r3 = 8; call bpf_dynptr_data"],
    ["call bpf_sk_fullsock", "r1 = r7; call bpf_sk_fullsock"],
    ["call kfunc bpf_task_from_pid", "r1 = 1; call kfunc bpf_task_from_pid"],
  ])("is the other where %s gave NULL", (_, call) => {
    const text = `r6 = *(u32 *)(r1 + 0); r7 = r1; ${call}; if r0 != 0 goto out; r0 += r6; *(u8 *)(r0 + 0) = 1; out: r0 = 2; exit`;
    expect(changes(text, XDP)).toContain("writes_packet");
  });
});

describe("a pointer into the frame of one of several callers", () => {
  /**
   * Two functions call `put` with a structure of theirs that holds a pointer, in the first at one place, in the second
   * at another.
   */
  const callers = (first: string, second: string, put: string) => `
    ${first}; *(u64 *)(r10 - 16) = r6; *(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -16; call put; r1 = r6; call inner; r0 = 0; exit;
    fn inner: ${second}; *(u64 *)(r10 - 32) = r1; *(u64 *)(r10 - 24) = 3; r1 = r10; r1 += -32; call put; exit;
    fn put: ${put}; r0 = 0; exit`;
  const FIRST = `r9 = r1; *(u32 *)(r10 - 20) = 0; r2 = r10; r2 += -20; r1 = map own; call bpf_map_lookup_elem; if r0 != 0 goto found;
    r0 = 0; exit; found: r6 = r0`;
  const PUT =
    "r2 = *(u64 *)(r1 + 8); r3 = *(u64 *)(r1 + 0); r2 &= 7; r3 += r2; *(u8 *)(r3 + 0) = 1; *(u64 *)(r1 + 8) = r2";

  it("points into its own memory where each holds that", () => {
    expect(changes(callers(FIRST, "r5 = 0", PUT), KPROBE)).toEqual([]);
  });

  it("points into the packet where one of them holds that", () => {
    const second = callers(FIRST, "r1 = *(u32 *)(r1 + 0)", PUT).replace("r1 = r6; call inner", "r1 = r9; call inner");
    expect(changes(second, XDP)).toEqual(expect.arrayContaining(["writes_packet"]));
    expect(changes(callers("r9 = r1; r6 = *(u32 *)(r1 + 0)", "r1 = 0", PUT), XDP)).toEqual(
      expect.arrayContaining(["writes_packet"]),
    );
  });

  it("points into a shared map where one of them holds that", () => {
    expect(changes(callers(FIRST.replace("map own", "map pinned"), "r5 = 0", PUT), KPROBE)).toEqual([
      "writes_shared_map",
    ]);
  });

  it("changes what either of them returns", () => {
    const text = (
      slot: number,
      returned: number,
    ) => `*(u64 *)(r10 - 8) = 2; r1 = r10; r1 += -8; call change; call other;
      ${slot === 0 ? "r0 = *(u64 *)(r10 - 8)" : ""}; exit;
      fn other: *(u64 *)(r10 - 16) = 2; r1 = r10; r1 += -16; call change; r0 = *(u64 *)(r10 - 16); exit;
      fn change: *(u64 *)(r1 + 0) = ${returned}; r0 = 0; exit`;
    expect(changes(text(0, 1), XDP)).toContain("decides");
    expect(changes(text(1, 1), XDP)).toContain("decides");
  });

  it("may point anywhere once there are too many", () => {
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const text = `*(u64 *)(r10 - 8) = r1; ${names.map((name) => `r1 = 0; call ${name}`).join("; ")}; r0 = 0; exit;
      ${names.map((name) => `fn ${name}: *(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8; call put; exit`).join("; ")};
      fn put: r2 = *(u64 *)(r1 + 0); *(u64 *)(r2 + 0) = 1; r0 = 0; exit`;
    expect(changes(text, XDP)).toContain("writes_packet");
  });
});

describe("a write to a dynptr", () => {
  const write = (make: string, write = "call bpf_dynptr_write") =>
    `*(u64 *)(r10 - 8) = 0; r7 = r1; ${make}; r1 = r10; r1 += -24; r2 = 0; r3 = r10; r3 += -8; r4 = 8; r5 = 0; ${write}; r0 = 0; exit`;
  const reserve = (map: string) =>
    `r1 = map ${map}; r2 = 64; r3 = 0; r4 = r10; r4 += -24; call bpf_ringbuf_reserve_dynptr`;

  it("is none to a packet where the program has a dynptr of none", () => {
    expect(changes(write(reserve("ring")), TRACED)).toEqual([]);
    expect(changes(write(reserve("ring"), "call kfunc bpf_dynptr_memset"), TRACED)).toEqual([]);
    const slice = "call kfunc bpf_dynptr_slice_rdwr; if r0 == 0 goto out; *(u8 *)(r0 + 0) = 1; out: r0 = 0";
    expect(changes(write(reserve("ring"), slice), TRACED)).toEqual([]);
  });

  it.each([
    ["bpf_dynptr_from_xdp", XDP],
    ["bpf_dynptr_from_skb", { type: "sched_cls" }],
    ["bpf_dynptr_from_skb_meta", { type: "sched_cls" }],
    ["bpf_dynptr_from_skb", TRACED],
  ])("may be one to a packet where the program makes one of it, even elsewhere: %s", (name, given) => {
    const elsewhere = `${write(reserve("ring")).replace("r0 = 0; exit", "r1 = r7; call other; r0 = 0; exit")};
      fn other: r2 = 0; r3 = r10; r3 += -24; call kfunc ${name}; r0 = 0; exit`;
    expect(changes(elsewhere, given)).toContain("writes_packet");
  });

  it("may be one to a packet where the program may be given one of it", () => {
    for (const type of ["ext", "struct_ops", "syscall"])
      expect(changes(write(reserve("ring")), { type })).toContain("writes_packet");
  });

  it("is one to a shared map where the dynptr lies in that", () => {
    expect(changes(write(reserve("pinnedRing")), TRACED)).toEqual(["writes_shared_map"]);
    const text = lookup("pinned", "r1 = r0; r2 = 8; r3 = 0; r4 = r10; r4 += -24; call bpf_dynptr_from_mem");
    expect(changes(text, TRACED)).toEqual(["writes_shared_map"]);
  });

  it("is one to user memory where the dynptr is made of that", () => {
    const text = `call bpf_get_current_task_btf; r1 = map storage; r2 = r0; r3 = 0; r4 = 0; call bpf_task_storage_get;
      if r0 == 0 goto out; r1 = *(u64 *)(r0 + 0); r2 = 8; r3 = 0; r4 = r10; r4 += -24; call bpf_dynptr_from_mem; out: r0 = 0; exit`;
    expect(changes(text, TRACED)).toContain("writes_user_memory");
  });
});

describe("a map that another one holds", () => {
  const output = (map: string) =>
    lookup(map, "*(u64 *)(r10 - 16) = 1; r1 = r0; r2 = r10; r2 += -16; r3 = 8; r4 = 0; call bpf_ringbuf_output");

  it("is brought along where the object declares both", () => {
    expect(changes(output("rings"), TRACED)).toEqual([]);
  });

  it("is not where the outer one is pinned, or is that of a live load", () => {
    expect(changes(output("pinnedRings"), TRACED)).toEqual(["writes_shared_map"]);
    expect(changes(output("liveRings"), TRACED)).toContain("writes_shared_map");
  });

  it("is not where it may be another's", () => {
    const text = `call bpf_get_prandom_u32; r6 = r0; *(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map rings;
      if r6 == 0 goto both; r1 = map liveRings; both: call bpf_map_lookup_elem; if r0 == 0 goto out; r1 = r0;
      *(u64 *)(r10 - 16) = 1; r2 = r10; r2 += -16; r3 = 8; r4 = 0; call bpf_ringbuf_output; out: r0 = 0; exit`;
    expect(changes(text, TRACED)).toContain("writes_shared_map");
  });
});
