import { describe, expect, it } from "vitest";
import { roleOf } from "../../../../src/bpf/object/section.js";

describe("a section's name", () => {
  it.each([
    ["xdp", "xdp", "xdp", null],
    ["xdp.frags/devmap", "xdp", "xdp_devmap", null],
    ["tc", "sched_cls", null, null],
    ["tcx/ingress", "sched_cls", "tcx_ingress", null],
    ["classifier", "sched_cls", null, null],
    ["socket", "socket_filter", null, null],
    ["kprobe/do_unlinkat", "kprobe", null, "do_unlinkat"],
    ["kprobe.multi/tcp_*", "kprobe", "trace_kprobe_multi", "tcp_*"],
    ["tp/sched/sched_switch", "tracepoint", null, "sched/sched_switch"],
    ["uprobe//usr/bin/bash:readline", "kprobe", null, "/usr/bin/bash:readline"],
    ["fentry.s/do_open", "tracing", "trace_fentry", "do_open"],
    ["lsm/file_open", "lsm", "lsm_mac", "file_open"],
    ["lsm_cgroup/socket_bind", "lsm", "lsm_cgroup", "socket_bind"],
    ["iter/task", "tracing", "trace_iter", "task"],
    ["cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress", null],
    ["cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect", null],
    ["?kprobe/optional", "kprobe", null, "optional"],
    ["raw_tp.w/some", "raw_tracepoint_writable", null, "some"],
    ["syscall", "syscall", null, null],
  ])("`%s` says type, attach type and target", (name, type, expectedAttachType, attachTo) => {
    expect(roleOf(name)).toEqual({ type, expectedAttachType, attachTo });
  });

  it.each(["xdp_drop", "xdpx", "tc/other", "socket/x", "", "/", "?", "kprobes/x"])(
    "`%s` says nothing that is known",
    (name) => {
      expect(roleOf(name).type).toBe("unknown");
    },
  );
});
