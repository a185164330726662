import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { findAttachTarget } from "../../../../src/bpf/core/attach-target.js";
import { Kernel } from "../../../../src/bpf/core/kernel.js";

const vmlinux = new BtfWriter();
const proto = vmlinux.proto(0, []);
const ids = {
  open: vmlinux.func("do_open", proto),
  tracepoint: vmlinux.typedef("btf_trace_sched_switch", vmlinux.ptr(proto)),
  hook: vmlinux.func("bpf_lsm_file_open", proto),
  iterator: vmlinux.func("bpf_iter_task", proto),
  ops: vmlinux.struct("tcp_congestion_ops", 16, [
    ["ssthresh", vmlinux.ptr(proto), 0],
    ["cong_avoid", vmlinux.ptr(proto), 64],
  ]),
};
const [first, second] = [new BtfWriter("little", vmlinux), new BtfWriter("little", vmlinux)];
const inFirst = first.func("xfs_open", proto);
second.type("padding", "fwd", 0);
const inSecond = second.func("xfs_open", proto);
const ops = second.struct("sched_ext_ops", 8, [["enqueue", second.ptr(proto), 0]]);
const base = new Btf(vmlinux.bytes());
const kernel = new Kernel(
  base,
  [first, second].map((btf, index) => ({
    name: ["xfs_old", "xfs"][index]!,
    btf: new Btf(btf.bytes(), "module", base),
  })),
);

describe("the attach target", () => {
  it.each([
    ["tracing", "trace_fentry", "do_open", { id: ids.open, module: null, member: null }],
    ["tracing", "trace_fexit", "missing", null],
    ["tracing", "trace_raw_tp", "sched_switch", { id: ids.tracepoint, module: null, member: null }],
    ["tracing", "trace_iter", "task", { id: ids.iterator, module: null, member: null }],
    ["lsm", "lsm_mac", "file_open", { id: ids.hook, module: null, member: null }],
    ["tracing", "modify_return", "xfs_open", { id: inFirst, module: "xfs_old", member: null }],
    ["tracing", "trace_fentry", "vmlinux:do_open", { id: ids.open, module: null, member: null }],
    ["tracing", "trace_fentry", "vmlinux:xfs_open", null],
    ["struct_ops", null, "tcp_congestion_ops.cong_avoid", { id: ids.ops, module: null, member: 1 }],
    ["struct_ops", null, "sched_ext_ops___v2.enqueue", { id: ops, module: "xfs", member: 0 }],
    ["struct_ops", null, "tcp_congestion_ops.gone", null],
  ] as const)("of a program %s %s for %s is found as libbpf does", (type, expectedAttachType, attachTo, found) => {
    expect(findAttachTarget({ type, expectedAttachType, attachTo }, kernel)).toEqual({
      name: attachTo,
      found,
      inProgram: false,
    });
  });

  it("in a module may be named by the start of the module's name", () => {
    const find = (attachTo: string) =>
      findAttachTarget({ type: "tracing", expectedAttachType: "trace_fentry", attachTo }, kernel)?.found;
    expect(find("xfs_old:xfs_open")).toMatchObject({ id: inFirst, module: "xfs_old" });
    expect(find("xfs:xfs_open")).toMatchObject({ id: inFirst, module: "xfs_old" });
    expect(find("xfs:do_open")).toMatchObject({ id: ids.open, module: "xfs_old" });
    expect(inSecond).toBeGreaterThan(0);
  });

  it("of a program that replaces a function is in another program", () => {
    expect(findAttachTarget({ type: "ext", expectedAttachType: null, attachTo: "xdp_pass" }, kernel)).toEqual({
      name: "xdp_pass",
      found: null,
      inProgram: true,
    });
  });

  it("is none for what is attached after it is loaded", () => {
    expect(findAttachTarget({ type: "kprobe", expectedAttachType: null, attachTo: "do_open" }, kernel)).toBeNull();
    expect(findAttachTarget({ type: "xdp", expectedAttachType: "xdp", attachTo: null }, kernel)).toBeNull();
  });
});
