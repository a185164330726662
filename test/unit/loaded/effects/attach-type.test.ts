import { describe, expect, it } from "vitest";
import { loadedFor } from "../../../../src/loaded/effects/attach-type.js";
import type { LinkReport } from "../../../../src/loaded/model/objects.js";

const link = (type: string, target: LinkReport["target"] = {}): LinkReport => ({ id: 1, type, program: 1, target });

describe("the attach type of a program", () => {
  it.each([
    ["tracing", [link("tracing", { attach_type: "trace_fentry" })], "vfs_read", "trace_fentry"],
    ["tracing", [], "vfs_read", "modify_return"],
    ["tracing", [], "btf_trace_sched_switch", "trace_raw_tp"],
    ["tracing", [], "bpf_iter_task", null],
    ["tracing", [link("iter")], "bpf_iter_task", "trace_iter"],
    ["tracing", [], null, null],
    ["tracing", [link("tracing", { attach_type: "unknown" })], "vfs_read", "modify_return"],
    ["lsm", [], "bpf_lsm_file_open", null],
    ["lsm", [link("tracing", { attach_type: "lsm_mac" })], "bpf_lsm_file_open", "lsm_mac"],
    ["lsm", [link("cgroup", { attach_type: "lsm_cgroup" })], "bpf_lsm_file_open", "lsm_cgroup"],
    ["kprobe", [], null, null],
    ["kprobe", [link("perf_event")], null, "none"],
    ["kprobe", [link("perf_event"), link("perf_event")], null, "none"],
    ["kprobe", [link("kprobe_multi")], null, "trace_kprobe_session"],
    ["kprobe", [link("perf_event"), link("kprobe_multi")], null, null],
    ["xdp", [link("xdp")], null, null],
  ] as const)("%s with %j for %s", (type, links, target, attachType) => {
    expect(loadedFor(type, links, target).attachType).toBe(attachType);
  });

  it("has the target's name without the prefix of BTF", () => {
    expect(loadedFor("lsm", [], "bpf_lsm_file_open").attachTo).toBe("file_open");
    expect(loadedFor("tracing", [], "btf_trace_sched_switch").attachTo).toBe("sched_switch");
    expect(loadedFor("tracing", [], "vfs_read").attachTo).toBe("vfs_read");
    expect(loadedFor("xdp", [], null).attachTo).toBeNull();
  });
});
