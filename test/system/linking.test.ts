import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { factsOfObject } from "../../src/bpf/object.js";
import { kernelTags } from "../support/kernel-tags.js";

const HEAD = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
`;

/** Each a way in which a compiler leaves work to the loader. */
const SHAPES: Readonly<Record<string, string>> = {
  "subprograms that are called in another order than they stand": `
    __noinline int third(int x) { return x * 7; }
    __noinline int second(int x) { return third(x) + 2; }
    __noinline int first(int x) { return second(x) + third(x + 1); }
    SEC("tc") int run(struct __sk_buff *skb) { return first(skb->len) + second(skb->mark); }
    SEC("tc") int other(struct __sk_buff *skb) { return third(skb->len) + first(skb->mark); }`,
  "static subprograms that call each other": `
    static __noinline int inner(int x) { return x * bpf_get_prandom_u32(); }
    static __noinline int outer(int x) { return inner(x) + inner(x + 1); }
    SEC("xdp") int run(struct xdp_md *ctx) { return outer(ctx->rx_queue_index) & 1; }`,
  "hidden and weak subprograms": `
    __hidden __noinline int hidden(int x) { return x * 5; }
    __weak __noinline int weak(int x) { return x * 3; }
    SEC("tc") int run(struct __sk_buff *skb) { return hidden(skb->len) + weak(skb->mark); }`,
  "a callback that is global, and one that calls another": `
    __noinline int deeper(int x) { return x + 1; }
    static long each(__u32 index, void *context) { *(__u64 *)context += deeper(index); return 0; }
    static long all(__u32 index, void *context) { bpf_loop(2, each, context, 0); return 0; }
    SEC("tc") int run(struct __sk_buff *skb) { __u64 sum = 0; bpf_loop(3, all, &sum, 0); return sum & 1; }`,
  "data of every kind": `
    const volatile int constant = 4; int started = 5; int zeroed; static int hidden_data = 6; static int hidden_zero;
    int custom SEC(".data.custom") = 7; const volatile int strict SEC(".rodata.strict") = 8;
    int pairs[4] = { 1, 2, 3, 4 };
    SEC("tc") int run(struct __sk_buff *skb)
    { hidden_data++; hidden_zero += started; zeroed += pairs[skb->mark & 3]; return custom + constant + strict + zeroed; }`,
  "text in programs": `
    SEC("tracepoint/syscalls/sys_enter_getpid") int run(void *ctx)
    { bpf_printk("one %d", 1); bpf_printk("two %d %s", 2, "three"); return 0; }`,
  "maps of several types, pinned ones and maps of maps": `
    struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } held SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 2); __type(key, __u32); __array(values, struct inner); }
      holder SEC(".maps") = { .values = { &held } };
    struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 9); __type(key, __u32); __type(value, __u32);
      __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned SEC(".maps");
    SEC("tc") int run(struct __sk_buff *skb)
    { __u32 key = 0; void *map = bpf_map_lookup_elem(&holder, &key); if (!map) return 0;
      __u64 *value = bpf_map_lookup_elem(map, &key); return bpf_map_lookup_elem(&pinned, &key) ? value != 0 : 2; }`,
  "an exception callback that calls a subprogram": `
    __noinline int helper(int x) { return x ^ 5; }
    __noinline int on_throw(__u64 cookie) { return helper(bpf_get_prandom_u32()) & 1; }
    SEC("tc") __attribute__((btf_decl_tag("exception_callback:on_throw"))) int run(struct __sk_buff *skb) { return 0; }
    SEC("tc") int without(struct __sk_buff *skb) { return helper(skb->len) & 1; }`,
  "variables in an arena": `
    struct { __uint(type, BPF_MAP_TYPE_ARENA); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 4);
      __ulong(map_extra, 0x1ull << 44); } arena SEC(".maps");
    int __attribute__((address_space(1))) counter; int __attribute__((address_space(1))) step = 3;
    SEC("syscall") int run(void *ctx) { counter += step; return 0; }`,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-linking-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a program is linked as libbpf links it, so that the kernel's tag is its own, with", () => {
  it.for(Object.entries(SHAPES))("%s", ([, source], context) => {
    const path = join(folder, "shape.o");
    writeFileSync(join(folder, "shape.bpf.c"), HEAD + source);
    const machine = process.arch === "x64" ? "x86_64" : "aarch64";
    const flags = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-idirafter", `/usr/include/${machine}-linux-gnu`];
    const clang = spawnSync("clang-19", [...flags, "-c", join(folder, "shape.bpf.c"), "-o", path], {
      encoding: "utf8",
    });
    expect(clang.stderr).toBe("");
    const tags = kernelTags([path]);
    if (typeof tags === "string") return context.skip(tags);
    const found = factsOfObject(readFileSync(path)).programs;
    expect(Object.fromEntries(found.map(({ name, tag }) => [name, tag]))).toEqual(Object.fromEntries(tags.get(path)!));
  });
});
