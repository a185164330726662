import { describe, expect, it } from "vitest";
import { HELPERS } from "../../../../src/bpf/tables/names.gen.js";
import { CALLEE_SYMBOLS } from "../../../../src/loaded/effects/callee-symbols.gen.js";
import { Callees } from "../../../../src/loaded/effects/callees.js";
import { KernelSymbols } from "../../../../src/loaded/effects/kernel-symbols.js";

const id = (name: string) => HELPERS.indexOf(`bpf_${name}`);
const BASE = "ffffffff81000000 T __bpf_call_base";

function calleeOf(line: string, { type = "kprobe", isKfunc = false, machine = "x64" } = {}) {
  const symbols = new KernelSymbols(Buffer.from(`${BASE}\n${line}\n`));
  return new Callees(symbols, machine).viewOf(type).callee(0x100, isKfunc);
}

describe("the function at an address", () => {
  it.each([
    ["bpf_ktime_get_ns", "ktime_get_ns"],
    ["bpf_get_stackid_tp", "get_stackid"],
    ["bpf_get_socket_ptr_cookie", "get_socket_cookie"],
    ["bpf_user_rnd_u32", "get_prandom_u32"],
    ["htab_map_delete_elem", "map_delete_elem"],
    ["trie_lookup_elem", "map_lookup_elem"],
    ["bpf_for_each_hash_elem", "for_each_map_elem"],
    ["dev_map_redirect", "redirect_map"],
    ["amd_pmu_v2_snapshot_branch_stack", "get_branch_snapshot"],
    ["bpf_ktime_get_ns.llvm.1234567890", "ktime_get_ns"],
  ])("%s is bpf_%s", (symbol, helper) => {
    expect(calleeOf(`ffffffff81000100 T ${symbol}`)).toEqual({ helper: id(helper) });
  });

  it("may be before the base", () => {
    const symbols = new KernelSymbols(Buffer.from("ffffffff80ffff00 T bpf_loop\nffffffff81000000 T __bpf_call_base\n"));
    expect(new Callees(symbols, "x64").viewOf("kprobe").callee(-0x100, false)).toEqual({ helper: id("loop") });
  });

  it("is that of two helpers, by the type of the program", () => {
    const line = "ffffffff81000100 T bpf_xdp_event_output";
    expect(calleeOf(line, { type: "xdp" })).toEqual({ helper: id("perf_event_output") });
    expect(calleeOf(line, { type: "tracing" })).toEqual({ helper: id("xdp_output") });
    expect(calleeOf(line, { type: "ext" })).toEqual({ helper: id("xdp_output") });
  });

  it("is a kfunc, also a variant of one", () => {
    expect(calleeOf("ffffffff81000100 T bpf_task_acquire", { isKfunc: true })).toEqual({ kfunc: "bpf_task_acquire" });
    expect(calleeOf("ffffffff81000100 T bpf_dynptr_from_skb_rdonly", { isKfunc: true })).toEqual({
      kfunc: "bpf_dynptr_from_skb",
    });
  });

  it("is not known of a kfunc on other architectures, where a call has its BTF id", () => {
    const callee = calleeOf("ffffffff81000100 T bpf_task_acquire", { isKfunc: true, machine: "arm64" });
    expect(callee).toEqual({ because: "calls a kfunc, whose name is not known on this architecture" });
  });

  it("is a helper that the kernel left to its compiler", () => {
    const view = new Callees(new KernelSymbols(Buffer.from(`${BASE}\n`)), "arm64").viewOf("kprobe");
    expect(view.callee(id("get_smp_processor_id"), false)).toEqual({
      ...{ helper: id("get_smp_processor_id"), keepsRegisters: true },
    });
    expect(view.callee(id("ktime_get_ns"), false)).toHaveProperty("because");
  });
});

describe("a function that is not known", () => {
  it.each([
    ["of an unknown name", "ffffffff81000100 T vfs_write", "calls `vfs_write`, which is not known"],
    ["of two helpers", "ffffffff81000100 T bpf_loop\nffffffff81000100 T bpf_strncmp", "one of several helpers"],
    ["of a module", "ffffffff81000100 t bpf_loop\t[bad]", "calls an address at which no function"],
    ["of generated code", "ffffffff81000100 t bpf_loop\t[bpf]", "calls an address at which no function"],
    ["that begins elsewhere", "ffffffff81000108 T bpf_loop", "calls an address at which no function"],
  ])("%s", (_, line, because) => {
    expect(calleeOf(line)).toHaveProperty("because", expect.stringContaining(because));
  });

  it("names the sysctl if the kernel hides addresses", () => {
    const hidden = new Callees(new KernelSymbols(Buffer.from("0000000000000000 T __bpf_call_base\n")), "x64");
    const because = expect.stringContaining("sysctl `kernel.kptr_restrict`");
    expect(hidden.viewOf("kprobe").callee(0x100, false)).toEqual({ because });
    expect(calleeOf("ffffffff81000100 T bpf_loop")).not.toEqual({ because });
    const shown = new Callees(new KernelSymbols(Buffer.from(`${BASE}\n`)), "x64");
    expect(shown.viewOf("kprobe").callee(0, false)).toEqual({ because });
  });

  it("says that the base is missing", () => {
    const callees = new Callees(new KernelSymbols(Buffer.from("ffffffff81000100 T bpf_loop\n")), "x64");
    expect(callees.viewOf("kprobe").callee(0x100, false)).toEqual({
      because: "calls functions by their distance from `__bpf_call_base`, which /proc/kallsyms does not have",
    });
  });
});

it("has helpers of the table only, and no function twice but those of output", () => {
  expect(CALLEE_SYMBOLS.filter(([helper]) => id(helper) === -1)).toEqual([]);
  const seen = new Map<string, string[]>();
  for (const [helper, symbols] of CALLEE_SYMBOLS)
    for (const symbol of symbols.split(/\s+/)) seen.set(symbol, [...(seen.get(symbol) ?? []), helper]);
  expect([...seen].filter(([, helpers]) => helpers.length > 1)).toEqual([
    ["bpf_skb_event_output", ["perf_event_output", "skb_output"]],
    ["bpf_xdp_event_output", ["perf_event_output", "xdp_output"]],
  ]);
  // A function with the name of a helper is that helper's.
  const other = [...seen].filter(([symbol, helpers]) => {
    const named = symbol.replace(/^bpf_/, "");
    return symbol !== named && id(named) > 0 && !helpers.includes(named);
  });
  expect(other).toEqual([]);
});
