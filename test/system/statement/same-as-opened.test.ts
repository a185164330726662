import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadedBtf } from "../../../src/bpf/recognition/loaded-btf.js";
import { type StatedMap, type StatedObject, type StatedProgram, statementOf } from "../../../src/bpf/statement.js";
import { CountersignError } from "../../../src/error.js";
import { exampleObjects, type InstalledObject } from "../../support/real-objects.js";
import { testedObjects } from "../core/tested-objects.js";

/** Objects that leave much to libbpf, or that hold what few objects do. */
const SHAPES: Readonly<Record<string, string>> = {
  "definitions in another order than their names": `
    struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, long); __uint(max_entries, 3); } zebra SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, char[7]); __uint(max_entries, 3);
      __uint(map_flags, BPF_F_MMAPABLE); } ant SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 5000); } ring SEC(".maps");
    SEC("tc") int run(void *ctx) { int key = 0; return bpf_map_lookup_elem(&ant, &key) == bpf_map_lookup_elem(&zebra, &key); }`,
  "every member of a definition": `
    struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __uint(value_size, 8); __uint(max_entries, 9); __uint(map_extra, 3);
      __uint(map_flags, BPF_F_NUMA_NODE); __uint(numa_node, 1); } bloom SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(key_size, 4); __uint(value_size, 8); __uint(max_entries, 9);
      __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __type(key, int); } stacks SEC(".maps");
    SEC("tc") int run(void *ctx) { return bpf_map_peek_elem(&bloom, ctx); }`,
  "maps of maps and of programs": `
    struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int); __type(value, long);
      __uint(map_flags, BPF_F_INNER_MAP); } held SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 2); __type(key, int); __array(values, struct inner); }
      holder SEC(".maps") = { .values = { [1] = &held } };
    int tail(void *ctx);
    struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __uint(key_size, 4); __array(values, int (void *)); }
      calls SEC(".maps") = { .values = { [1] = (void *)&tail } };
    SEC("tc") int tail(void *ctx) { return 0; }
    SEC("tc") int run(void *ctx) { bpf_tail_call(ctx, &calls, 1); return 0; }`,
  "data of every kind, hidden and static too": `
    const volatile int constant = 4; int started = 5; int zeroed; static volatile int own = 6; static volatile int own_zero;
    int custom SEC(".data.custom") = 7; const volatile int strict SEC(".rodata.strict") = 8; __hidden int kept = 3;
    static const volatile char own_constant[3] = "ab"; __hidden int only_hidden SEC(".bss.hidden");
    SEC("tc") int run(void *ctx)
    { own_zero += own; only_hidden++; return custom + constant + strict + zeroed++ + started++ + own_constant[1] + kept++; }`,
  "a hidden subprogram, and one that nothing calls": `
    __hidden __noinline int unseen(int x) { return x * 5; }
    __noinline int seen(int x) { return x * 7; }
    __hidden __noinline int nobody(int x) { return x * 11; }
    SEC("tc") int run(struct __sk_buff *skb) { return unseen(skb->len) + seen(skb->mark); }`,
  "values of the kernel's configuration, and no other data": `
    extern _Bool CONFIG_A __kconfig __weak; extern char CONFIG_B[5] __kconfig __weak; extern unsigned long CONFIG_C __kconfig __weak;
    extern int CONFIG_D __kconfig __weak; extern enum libbpf_tristate CONFIG_E __kconfig __weak; extern short CONFIG_F __kconfig __weak;
    SEC("tc") int run(void *ctx) { return CONFIG_A + CONFIG_B[1] + CONFIG_C + CONFIG_D + CONFIG_E + CONFIG_F; }`,
  "programs that are loaded on request, and of unknown sections": `
    SEC("?fentry/nowhere") int later(void *ctx) { return 0; }
    SEC("fexit") int targetless(void *ctx) { return 0; }
    SEC("lsm.s/bprm_check_security") int sleeps(void *ctx) { return 0; }
    SEC("xdp.frags/devmap") int frags(void *ctx) { return 2; }
    SEC("usdt.s/libc:setjmp") int probe(void *ctx) { return 0; }`,
  "variables in an arena": `
    struct { __uint(type, BPF_MAP_TYPE_ARENA); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 4);
      __ulong(map_extra, 0x1ull << 44); } arena SEC(".maps");
    int __attribute__((address_space(1))) counter; int __attribute__((address_space(1))) step = 3;
    SEC("syscall") int run(void *ctx) { counter += step; return 0; }`,
};

const HEAD = `
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
`;

let folder: string;
let opened: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-opened-"));
  opened = join(folder, "opened");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Opened {
  readonly maps: readonly (readonly string[])[];
  readonly programs: readonly (readonly string[])[];
  readonly btf: string;
}

/** What libbpf has of each object once it is open; null if it does not open the object. */
function openedBy(paths: readonly string[]): readonly (Opened | null)[] {
  const { stdout, status } = spawnSync(opened, paths, { encoding: "utf8", maxBuffer: 1 << 28, timeout: 60_000 });
  expect(status).toBe(0);
  return stdout
    .split(/^object\t/m)
    .slice(1)
    .map((text) => {
      const [[, isOpen], ...rows] = text
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")) as [string[], ...string[][]];
      if (isOpen !== "1") return null;
      const of = (...kinds: readonly string[]) => rows.filter(([kind]) => kinds.includes(kind!));
      return { maps: of("map", "inner"), programs: of("program"), btf: of("btf")[0]?.[1] ?? "" };
    });
}

const RINGS: ReadonlySet<number> = new Set([27, 31]);
const PAGE = 4096;

/** libbpf makes the size of a ring buffer a power of two of pages when it opens the object. */
function entriesOf({ type, max_entries: entries }: StatedMap): number {
  return RINGS.has(type) && entries > 0 ? PAGE * 2 ** Math.max(0, Math.ceil(Math.log2(entries / PAGE))) : entries;
}

/** Whether an inner map is created is the loader's business, and 0 in libbpf. */
function mapRows(map: StatedMap, kind = "map"): string[][] {
  const numbers = [map.type, map.key_size, map.value_size, entriesOf(map), map.map_flags, map.numa_node, map.map_extra];
  const more = [map.key_type_id, map.value_type_id, map.pinning, map.autocreate && kind === "map" ? 1 : 0];
  const data = map.data === null ? "" : Buffer.from(map.data, "base64").toString("hex");
  const row = [kind, map.name, ...[...numbers, ...more].map(String), data];
  return [row, ...(map.inner === null ? [] : mapRows(map.inner, "inner"))];
}

/** As `mapRows` has it: without the object's name, and contents only of `.rodata`. */
function openedMap([kind, name, ...more]: readonly string[], { kind: stated, name: full }: StatedMap): string[] {
  const isData = stated !== "definition" && stated !== "struct_ops";
  const shown = kind === "map" && isData && name !== full ? `.${name!.split(".").slice(1).join(".")}` : name!;
  const data = stated === "rodata" ? more.at(-1)! : "";
  return [kind!, shown, ...more.slice(0, -1), data];
}

function programRow({ name, section, type, expected_attach_type, functions, insns }: StatedProgram): string[] {
  const end = functions[1]?.start ?? Buffer.byteLength(insns, "base64") / 8;
  // libbpf remembers elsewhere that a program is loaded on request only
  return ["program", name, section.replace(/^\?/, ""), ...[type, expected_attach_type, end].map(String)];
}

/** What libbpf makes of the BTF when it opens an object; it makes hidden functions static when it loads it. */
function openedBtf(object: StatedObject): string {
  if (object.btf === null) return "";
  return Buffer.from(loadedBtf(Buffer.from(object.btf, "base64"), { ...object, hidden_functions: [] })).toString("hex");
}

function compare(objects: readonly InstalledObject[]): number {
  const paths = objects.map((_, index) => join(folder, `object-${index}.o`));
  for (const [index, { bytes }] of objects.entries()) writeFileSync(paths[index]!, bytes);
  let compared = 0;
  for (const [index, found] of openedBy(paths).entries()) {
    const { name, bytes } = objects[index]!;
    let stated: ReturnType<typeof statementOf>;
    try {
      stated = statementOf(bytes);
    } catch (error) {
      expect(error, name).toBeInstanceOf(CountersignError);
      expect(found, `${name}: ${error}`).toBeNull();
      continue;
    }
    if (found === null) continue;
    const { object, programs } = stated.statement.content.program;
    const rows = object.maps.flatMap((map) => mapRows(map).map((row) => ({ row, map })));
    expect(
      found.maps.map((row, at) => (rows[at] === undefined ? row : openedMap(row, rows[at].map))),
      name,
    ).toEqual(rows.map(({ row }) => row));
    expect(found.programs, name).toEqual(programs.map(programRow));
    expect(found.btf === openedBtf(object), `${name}: BTF`).toBe(true);
    compared += 1;
  }
  return compared;
}

describe("a statement has the maps, programs and BTF that libbpf has of the open object", () => {
  let missing: string | null = null;
  beforeAll(() => {
    const flags = ["-O2", "-Wall", "-Werror", "-o", opened, join(import.meta.dirname, "opened-object.c"), "-lbpf"];
    const { status, stderr } = spawnSync("gcc", flags, { encoding: "utf8" });
    if (status !== 0) missing = `needs gcc and libbpf-dev: ${stderr}`;
  });
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  it("of the examples", () => {
    expect(compare(exampleObjects())).toBeGreaterThan(8);
  });

  it("of all installed objects, and of those with every kind of relocation", (context) => {
    const objects = testedObjects();
    if (typeof objects === "string") return context.skip(objects);
    expect(compare(objects)).toBeGreaterThan(100);
  });

  it.for(Object.entries(SHAPES))("with %s", ([name, source], context) => {
    if (spawnSync("clang-19", ["--version"]).status !== 0) return context.skip("needs clang-19");
    const path = join(folder, "shape.o");
    writeFileSync(join(folder, "shape.bpf.c"), HEAD + source);
    const flags = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-idirafter", "/usr/include/x86_64-linux-gnu"];
    execFileSync("clang-19", [...flags, "-c", join(folder, "shape.bpf.c"), "-o", path], { stdio: "pipe" });
    const linked = join(folder, "linked.o");
    const objects = [{ name, bytes: execFileSync("cat", [path]) }];
    if (spawnSync("bpftool", ["gen", "object", linked, path]).status === 0)
      objects.push({ name: `${name}, linked`, bytes: execFileSync("cat", [linked]) });
    expect(compare(objects)).toBe(objects.length);
  });
});
