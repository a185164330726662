import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf, type Surroundings } from "../../../../src/bpf/assembly/assembly.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";

const maps = {
  own: mapOf("own"),
  pinned: mapOf("pinned", { own: false }),
  outer: mapOf("outer", { type: "array_of_maps", inner: mapOf("inner") }),
  socks: mapOf("socks", { type: "sockhash" }),
  events: mapOf("events", { own: false, type: "perf_event_array" }),
};

function effects(text: string, surroundings: Surroundings): string[] {
  const found = effectsOf(codeOf(text, { maps, ...surroundings })).effects;
  return EFFECTS.filter((effect) => found[effect]);
}

const XDP = { type: "xdp" };
const TC = { type: "sched_cls" };
const RAW_TP = { type: "raw_tracepoint" };
const FENTRY = { type: "tracing", expectedAttachType: "trace_fentry" };

describe("a program that only looks", () => {
  it("is read-only, and has no evidence", () => {
    const found = effectsOf(codeOf("r1 = *(u64 *)(r1 + 112); call bpf_get_current_pid_tgid; r0 = 0; exit", RAW_TP));
    expect(found.effects.read_only).toBe(true);
    expect(found.evidence).toEqual([]);
  });

  it("may read the packet that it is given", () => {
    const text = `r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 4); r4 = r2; r4 += 14; if r4 > r3 goto out;
      r5 = *(u16 *)(r2 + 12); out: r0 = 2; exit`;
    expect(effects(text, XDP)).toEqual([]);
  });

  it("may keep its own maps", () => {
    const text = `*(u32 *)(r10 - 4) = 1; r2 = r10; r2 += -4; r1 = map own; call bpf_map_lookup_elem; if r0 == 0 goto out;
      r1 = 1; lock *(u64 *)(r0 + 0) += r1; out: r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toEqual([]);
  });

  it("reads kernel memory where it follows what a traced function was given", () => {
    expect(effects("r1 = *(u64 *)(r1 + 0); r1 = *(u32 *)(r1 + 40); r0 = 0; exit", FENTRY)).toEqual([
      "reads_kernel_memory",
    ]);
  });

  it("does not read kernel memory by looking at its arguments alone", () => {
    expect(effects("r1 = *(u64 *)(r1 + 8); r1 += 1; r0 = 0; exit", FENTRY)).toEqual([]);
  });

  it("reads kernel memory deeper down a chain of objects", () => {
    const text =
      "r1 = *(u64 *)(r1 + 0); r1 = *(u64 *)(r1 + 8); *(u64 *)(r10 - 8) = r1; r2 = *(u64 *)(r10 - 8); r2 = *(u32 *)(r2 + 4); r0 = 0; exit";
    const { evidence } = effectsOf(codeOf(text, FENTRY));
    expect(evidence.map(({ insn }) => insn)).toEqual([1, 4]);
  });
});

describe("a store", () => {
  it("into the packet writes the packet", () => {
    expect(effects("r2 = *(u32 *)(r1 + 0); *(u8 *)(r2 + 0) = 1; r0 = 2; exit", XDP)).toEqual(["writes_packet"]);
  });

  it("into the context names its field", () => {
    const found = effectsOf(codeOf("*(u32 *)(r1 + 8) = 1; r0 = 0; exit", TC));
    expect(found.effects).toMatchObject({ writes_ctx: true, read_only: false });
    expect(found.evidence).toMatchObject([
      { insn: 0, text: "*(u32 *)(r1 + 0x8) = 0x1", because: expect.stringContaining("`mark` of __sk_buff") },
    ]);
  });

  it("into a socket option's value writes the context", () => {
    const text = "r2 = *(u64 *)(r1 + 8); *(u8 *)(r2 + 0) = 1; r0 = 1; exit";
    expect(effects(text, { type: "cgroup_sockopt", expectedAttachType: "cgroup_setsockopt" })).toEqual([
      "writes_ctx",
      "changes_socket",
    ]);
  });

  it("into a field of the context brings about what the field does", () => {
    const written = (offset: number) =>
      effects(`*(u32 *)(r1 + ${offset}) = 0; r0 = 1; exit`, { type: "cgroup_sockopt", expectedAttachType: null });
    expect(written(36)).toEqual(["writes_ctx", "overrides_return"]);
    expect(written(32)).toEqual(["writes_ctx", "changes_socket"]);
    expect(effects("*(u32 *)(r1 + 4) = 1; r0 = 1; exit", { type: "cgroup_sock_addr" })).toEqual([
      "writes_ctx",
      "redirects",
      "changes_socket",
    ]);
    expect(effects("*(u32 *)(r1 + 0) = 1 @core; r0 = 1; exit", { type: "cgroup_sock_addr" })).toContain("redirects");
  });

  it("into a writable tracepoint's buffer changes the kernel's state", () => {
    const text = "r2 = *(u64 *)(r1 + 0); *(u8 *)(r2 + 0) = 1; r0 = 0; exit";
    expect(effects(text, { type: "raw_tracepoint_writable" })).toEqual(["changes_kernel_state"]);
  });

  it("into a struct_ops program's object changes the kernel's state, and a socket or packet if it is one", () => {
    const text = "r2 = *(u64 *)(r1 + 0); *(u32 *)(r2 + 900) = 1; r0 = 0; exit";
    expect(effects(text, { type: "struct_ops" })).toEqual([
      "writes_packet",
      "decides",
      "changes_socket",
      "changes_kernel_state",
    ]);
  });

  it("into a value that an iterator goes over writes a map that is not the program's", () => {
    const text = "r2 = *(u64 *)(r1 + 24); *(u32 *)(r2 + 0) = 1; r0 = 0; exit";
    expect(effects(text, { type: "tracing", expectedAttachType: "trace_iter" })).toContain("writes_shared_map");
  });

  it("through a number could be one anywhere", () => {
    expect(effects("*(u8 *)(r2 + 0) = 1; r0 = 0; exit", RAW_TP)).toEqual(
      EFFECTS.filter(
        (effect) => effect.startsWith("writes_") || effect === "changes_socket" || effect === "changes_kernel_state",
      ),
    );
  });

  it("of a pointer over part of a spilled one makes it a number", () => {
    const text = "*(u64 *)(r10 - 8) = r1; *(u8 *)(r10 - 8) = 0; r2 = *(u64 *)(r10 - 8); r2 += 1; r0 = 0; exit";
    expect(effects(text, RAW_TP)).toEqual([]);
  });
});

describe("a map that the program did not bring along", () => {
  const lookup = (map: string, then: string) =>
    `*(u32 *)(r10 - 4) = 1; r2 = r10; r2 += -4; r1 = map ${map}; call bpf_map_lookup_elem; if r0 == 0 goto out; ${then}; out: r0 = 0; exit`;

  it("may be read", () => {
    expect(effects(lookup("pinned", "r0 = *(u64 *)(r0 + 0)"), RAW_TP)).toEqual([]);
  });

  it("is written by a store into its value", () => {
    const found = effectsOf(codeOf(lookup("pinned", "*(u64 *)(r0 + 0) = 1"), { maps, ...RAW_TP }));
    expect(found.evidence).toMatchObject([
      { effect: "writes_shared_map", because: expect.stringContaining("map `pinned`") },
    ]);
  });

  it("may be what an outer map holds", () => {
    const text = lookup("outer", "r1 = r0; r2 = r10; r2 += -4; r3 = r2; r4 = 0; call bpf_map_update_elem");
    expect(effects(text, RAW_TP)).toEqual(["writes_shared_map"]);
  });

  it("is written by an event put out to it", () => {
    const text =
      "r6 = r10; r6 += -8; *(u64 *)(r10 - 8) = 0; r2 = map events; r3 = 0; r4 = r6; r5 = 8; call bpf_perf_event_output; r0 = 0; exit";
    expect(effects(text, RAW_TP)).toEqual(["writes_shared_map"]);
  });

  it("is any map of which nothing is known", () => {
    const code = codeOf("r1 = map own; r2 = r10; r2 += -4; call bpf_map_delete_elem; r0 = 0; exit", {
      maps,
      ...RAW_TP,
    });
    expect(effectsOf(code).effects.writes_shared_map).toBe(false);
    expect(effectsOf({ ...code, mapAt: () => null }).effects.writes_shared_map).toBe(true);
  });

  it("is not the program's own beside it", () => {
    const text = `call bpf_get_prandom_u32; r1 = map own; if r0 == 0 goto both; r1 = map pinned; both:
      *(u32 *)(r10 - 4) = 1; r2 = r10; r2 += -4; call bpf_map_lookup_elem; if r0 == 0 goto out; r0 = *(u64 *)(r0 + 0); out: r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toEqual([]);
  });

  it("is no matter where sockets are put into a map: that changes them", () => {
    const text = "*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map socks; call bpf_map_delete_elem; r0 = 1; exit";
    expect(effects(text, { type: "sk_msg" })).toEqual(["changes_socket"]);
  });

  it("gives sockets where it holds sockets", () => {
    expect(effects(lookup("socks", "r0 = *(u32 *)(r0 + 4)"), { type: "sk_msg" })).toEqual(["decides"]);
  });
});

describe("what cannot be told", () => {
  const everything = [...EFFECTS];

  it.each([
    ["a helper without a row", "call 212; exit"],
    ["a helper with a negative id", "call -1; exit"],
    ["a kfunc without a row", "call kfunc bpf_unheard_of; exit"],
  ])("%s may do anything", (_, text) => {
    expect(effects(`r0 = 0; ${text}`, RAW_TP)).toEqual(everything);
  });

  it("a kfunc whose name is not known may do anything", () => {
    const code = codeOf("call kfunc bpf_rcu_read_lock; r0 = 0; exit", RAW_TP);
    expect(effectsOf(code).effects.read_only).toBe(true);
    expect(effectsOf({ ...code, kfuncAt: () => null }).effects.calls_bpf).toBe(true);
  });

  it("a program of an unknown type may do anything", () => {
    const found = effectsOf(codeOf("r0 = 0; exit", { type: "unknown" }));
    expect(found.effects).toMatchObject({ calls_bpf: true, read_only: false });
    expect(found.evidence[0]).toMatchObject({ insn: null, because: expect.stringContaining("`unknown`") });
  });

  it("a program that can call bpf(2) may do anything", () => {
    expect(effects("r0 = 0; exit", { type: "syscall" })).toEqual(everything);
    expect(effects("call bpf_sys_close; exit", RAW_TP)).toEqual(everything);
  });

  it.each([
    ["runs out of its end", "r0 = 0"],
    ["jumps out of itself", "if r1 == 0 goto a; r0 = 0; exit; fn other: a: r0 = 0; exit"],
  ])("a program that %s may do anything", (_, text) => {
    expect(effects(text, RAW_TP)).toEqual(everything);
  });

  it("an indirect call may do anything", () => {
    const code = codeOf("r0 = 0; exit", RAW_TP);
    code.insns.opcode[0] = 0x8d;
    expect(effectsOf(code).evidence[0]).toMatchObject({ insn: 0, because: "is an unknown instruction" });
  });
});

describe("what libbpf writes over what this kernel lacks", () => {
  it.each([195_896_080, 2_001_000_003, 2_002_000_001])("is never come to: call %i", (id) => {
    const text = `call bpf_get_prandom_u32; if r0 == 0 goto missing; r0 = 0; exit; missing: call ${id}; r1 = 9; call bpf_send_signal; exit`;
    expect(effects(text, RAW_TP)).toEqual([]);
  });
});

describe("a program that replaces a function of another", () => {
  it("may be lent anything, as long as its BTF does not tell", () => {
    expect(effects("*(u8 *)(r1 + 0) = 1; r0 = 2; exit", { type: "ext" })).toEqual(
      expect.arrayContaining(["writes_packet", "writes_ctx", "writes_shared_map", "changes_kernel_state"]),
    );
    expect(effects("*(u8 *)(r3 + 0) = 1; r0 = 2; exit", { type: "ext" })).toContain("writes_packet");
  });

  it("may redirect by what it returns", () => {
    for (const value of [2, 4, 128]) expect(effects(`r0 = ${value}; exit`, { type: "ext" })).toContain("redirects");
  });

  it("may decide what a traced function returns: what it replaces may be a fmod_ret program", () => {
    expect(effects("r0 = 2; exit", { type: "ext" })).toEqual(["redirects", "decides", "overrides_return"]);
  });

  it("may change whatever a context's fields change", () => {
    expect(effects("*(u32 *)(r1 + 4) = 1; r0 = 2; exit", { type: "ext" })).toEqual(
      expect.arrayContaining(["writes_ctx", "changes_socket", "redirects", "overrides_return"]),
    );
  });
});

describe("evidence", () => {
  it("is bounded, and the first in the program's order", () => {
    const text = `r2 = *(u32 *)(r1 + 0); ${"*(u8 *)(r2 + 0) = 1; ".repeat(50)} r0 = 2; exit`;
    const { evidence } = effectsOf(codeOf(text, XDP));
    expect(evidence.map(({ insn }) => insn)).toEqual([1, 2, 3, 4]);
  });

  it("stands in the order of the effects", () => {
    const text = "r6 = r1; r1 = 9; call bpf_send_signal; *(u32 *)(r6 + 0) = 1; r0 = 0; exit";
    expect(effectsOf(codeOf(text, { type: "kprobe" })).evidence.map(({ effect }) => effect)).toEqual([
      "writes_user_memory",
      "writes_ctx",
      "decides",
      "overrides_return",
      "sends_signal",
    ]);
  });
});
