import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf, type Surroundings } from "../../../../src/bpf/assembly/assembly.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";

const maps = {
  own: mapOf("own"),
  pinned: mapOf("pinned", { own: false }),
  storage: mapOf("storage", { type: "task_storage" }),
  events: mapOf("events", { type: "ringbuf" }),
};

function effects(text: string, surroundings: Surroundings): string[] {
  const found = effectsOf(codeOf(text, { maps, ...surroundings })).effects;
  return EFFECTS.filter((effect) => found[effect]);
}

const RAW_TP = { type: "tracing", expectedAttachType: "trace_raw_tp" };
const ITER = { type: "tracing", expectedAttachType: "trace_iter" };
const LSM = { type: "lsm", expectedAttachType: "lsm_mac" };

// each of these forms is one that Linux 6.18 loads
describe("memory that is lent to a call", () => {
  it("is read by a helper: a kernel object handed to a ring buffer is kernel memory read", () => {
    const text = `r2 = *(u64 *)(r1 + 0); r2 += 1264; r1 = map events; r3 = 4; r4 = 0; call bpf_ringbuf_output;
      r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toEqual(["reads_kernel_memory"]);
  });

  it("is the program's own on its stack", () => {
    const text = `*(u64 *)(r10 - 8) = 1; r2 = r10; r2 += -8; r1 = map events; r3 = 8; r4 = 0; call bpf_ringbuf_output;
      r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toEqual([]);
  });

  it("is written by a kfunc that copies from a process: into a value that an iterator goes over", () => {
    const text = `r1 = *(u64 *)(r1 + 24); r2 = 4; r3 = 4096; r4 = 0; call kfunc bpf_copy_from_user_str; r0 = 0; exit`;
    expect(effects(text, ITER)).toEqual(expect.arrayContaining(["reads_user_memory", "writes_shared_map"]));
  });

  it("is written by a kfunc in a process's page that a task's storage holds", () => {
    const text = `r2 = *(u64 *)(r1 + 0); r1 = map storage; r3 = 0; r4 = 0; call bpf_task_storage_get; if r0 == 0 goto out;
      r1 = *(u64 *)(r0 + 0); r2 = 4; r3 = 4096; r4 = 0; call kfunc bpf_copy_from_user_str; out: r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toContain("writes_user_memory");
  });
});

describe("an argument of a `tracing` program", () => {
  const text = (offset: number) => `r2 = *(u64 *)(r1 + ${offset}); if r2 == 0 goto out; *(u8 *)(r2 + 0) = 0;
    out: r0 = 0; exit`;
  const writes = (expectedAttachType: string | null, attachTo: string | null) =>
    effects(text(24), { type: "tracing", expectedAttachType, attachTo }).includes("writes_shared_map");

  it.each(["bpf_map_elem", "bpf_sk_storage_map", "sockmap", "task_file"])(
    "may be a map's value in an iterator over `%s`",
    (target) => expect(writes("trace_iter", target)).toBe(true),
  );

  it.each(["task", "task_vma", "tcp", "udp", "unix", "netlink", "bpf_map", "bpf_prog", "bpf_link", "cgroup", "ksym"])(
    "is no map's value in an iterator over `%s`",
    (target) => expect(writes("trace_iter", target)).toBe(false),
  );

  it.each(["trace_fentry", "trace_fexit", "trace_raw_tp", "modify_return"])("is no map's value as `%s`", (attachType) =>
    expect(writes(attachType, "bpf_map_elem")).toBe(false),
  );

  it("may be a map's value if the target or the attach type is not known", () => {
    expect(writes("trace_iter", null)).toBe(true);
    expect(writes("trace_iter", "of_a_newer_kernel")).toBe(true);
    expect(writes("trace_iter", "vmlinux:task")).toBe(true);
    expect(writes("unknown", "task")).toBe(true);
    expect(writes(null, "task")).toBe(true);
  });
});

describe("an object that a map holds", () => {
  const change = (map: string) => `*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map ${map};
    call bpf_map_lookup_elem; if r0 == 0 goto out; r2 = *(u64 *)(r0 + 0); if r2 == 0 goto out; r1 = 1;
    call kfunc bpf_cpumask_set_cpu; out: r0 = 0; exit`;

  it("is the map's: who changes it writes a map that the program did not bring along", () => {
    expect(effects(change("pinned"), RAW_TP)).toEqual(["writes_shared_map"]);
  });

  it("is the program's own in its own map", () => {
    expect(effects(change("own"), RAW_TP)).toEqual([]);
  });

  it("is the map's where it is stored into", () => {
    const text = `*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map pinned; call bpf_map_lookup_elem;
      if r0 == 0 goto out; r2 = *(u64 *)(r0 + 0); if r2 == 0 goto out; *(u64 *)(r2 + 0) = 1; out: r0 = 0; exit`;
    expect(effects(text, RAW_TP)).toContain("writes_shared_map");
  });
});

describe("a load that a CO-RE relocation names", () => {
  it("may become a wider one, so that its upper half is not known", () => {
    const text = (load: string) => `r1 = *(u64 *)(r1 + 0); ${load}; if w0 != 0 goto other; r0 >>= 32; exit;
      other: r0 = 0; exit`;
    expect(effects(text("r0 = *(u32 *)(r1 + 104) @core"), LSM)).toContain("decides");
    expect(effects(text("r0 = *(u32 *)(r1 + 104)"), LSM)).toEqual(["reads_kernel_memory"]);
  });
});

describe("a look for a key", () => {
  it("may make a keyring", () => {
    expect(effects("r1 = -3; r2 = 1; call kfunc bpf_lookup_user_key; r0 = 0; exit", RAW_TP)).toContain(
      "changes_kernel_state",
    );
  });
});
