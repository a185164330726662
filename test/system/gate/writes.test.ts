import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { loadsElementIterators, needs, needsElementIterators, needsGate, Site } from "./site.js";

/** Notes, of each program that reads a map by four instructions, whether it was told what the map holds. */
const NOTING = `
import { deny, note } from "countersign";
export const bpf_prog_load = (prog) => {
  if (prog.insn_cnt === 4) note(prog.maps[0].contents === null ? "not told" : "told");
  return prog.effects.reads_kernel_memory ? deny("reads kernel memory") : 0;
};
`;
const WAYS = [
  ...[
    "UPDATE_ELEM",
    "DELETE_ELEM",
    "LOOKUP_AND_DELETE_ELEM",
    "UPDATE_BATCH",
    "DELETE_BATCH",
    "LOOKUP_AND_DELETE_BATCH",
  ],
  ...["GET_FD_BY_ID", "OBJ_GET", "mmap", "mprotect", "process_vm_writev", "/proc/self/mem", "program", "fixed buffer"],
  "iterator",
];
const BY_FD = ["UPDATE_ELEM", "UPDATE_BATCH", "GET_FD_BY_ID", "OBJ_GET"];
/** The ways by which each kind of map changes on the kernel alone. An array has no elements that could be deleted. */
const CHANGED: Readonly<Record<string, readonly string[]>> = {
  plain: [...BY_FD, "program", "iterator"],
  "plain frozen": ["program", "iterator"],
  readonly: [...BY_FD, "iterator"],
  "readonly frozen": ["iterator"],
  mapped: [...BY_FD, "mmap", "program", "fixed buffer", "iterator"],
  "mapped readonly": [...BY_FD, "iterator"],
  "mapped readonly frozen": ["iterator"],
  "mapped exclusive frozen": ["fixed buffer"],
  exclusive: BY_FD,
  "exclusive frozen": [],
};
/** The kinds whose contents are facts. */
const TOLD = ["readonly frozen", "mapped readonly frozen", "exclusive frozen"];

describe("the contents of maps that a policy was told", () => {
  let site: Site;
  let attack: string;

  beforeAll(() => {
    site = new Site(NOTING);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool", "clang-19");
    attack = site.attack("writes");
    site.forgetLog();
  });

  /** Variables of the attack; the iterator stores `value` as a number of this type at this offset of each element. */
  const env = (type: string, offset: number, value: string) => {
    const object = site.object("iterator", iterator(type, offset, value));
    const [pin, map] = [join(site.bpffs, "iterator"), join(site.bpffs, "iterated")];
    const reader = Buffer.from(site.bare("env", "PRINT=1", attack).stdout, "hex");
    return {
      BPFFS: site.bpffs,
      DIGEST: createHash("sha256").update(reader).digest("hex"),
      ITERATE: `bpftool iter pin ${object} ${pin} map pinned ${map} 2> /dev/null && cat ${pin} && rm ${pin}`,
    };
  };
  const bare = (variables: Readonly<Record<string, string>>, ...words: readonly string[]) =>
    site.bare("env", ...Object.entries(variables).map(([key, value]) => `${key}=${value}`), attack, ...words).stdout;
  const rows = (stdout: string) =>
    Array.from(stdout.matchAll(/^(.+), (.+): (kept|changed)$/gm), ([, kind, way, outcome]) => ({ kind, way, outcome }));
  const changed = (stdout: string) => {
    const ways: Record<string, string[]> = Object.fromEntries(Object.keys(CHANGED).map((kind) => [kind, []]));
    for (const { kind, way, outcome } of rows(stdout)) if (outcome === "changed") ways[kind!]!.push(way!);
    return ways;
  };
  const needsExclusive = (context: TestContext, stdout: string) => {
    if (stdout.includes("exclusive: create errno")) context.skip("needs exclusive maps (Linux 6.18)");
  };
  const rules = () => new Set(site.log.flatMap(({ denied_by }) => denied_by?.rule ?? []));

  it("do not change in any way; other maps have none that a policy could be told", (context) => {
    const variables = env("long", 0, "2");
    const alone = bare(variables);
    needsExclusive(context, alone);
    const byIterator = loadsElementIterators(site);
    const without = (ways: readonly string[]) => ways.filter((way) => way !== "iterator");
    const others = Object.fromEntries(Object.entries(CHANGED).map(([kind, ways]) => [kind, without(ways)]));
    expect(rows(alone)).toHaveLength(WAYS.length * Object.keys(CHANGED).length);
    expect(changed(alone)).toEqual(byIterator ? CHANGED : others);

    const { stdout } = site.runWith([], variables, attack);
    expect(changed(stdout)).toEqual(others);
    const told = site.log.flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes) ?? []);
    expect(rows(stdout).map(({ kind }, index) => [kind, told[index]])).toEqual(
      rows(stdout).map(({ kind }) => [kind, TOLD.includes(kind!) ? "told" : "not told"]),
    );
    for (const kind of TOLD) expect(changed(stdout)[kind]).toEqual([]);
    expect(rules()).toEqual(new Set(["element_writer"]));
  });

  it("do not change by an iterator into a format that reads the kernel's memory", (context) => {
    const address = /^([0-9a-f]+) T vfs_read$/m.exec(readFileSync("/proc/kallsyms", "utf8"))?.[1] ?? "0";
    if (/^0+$/.test(address)) context.skip("needs /proc/kallsyms");
    needsElementIterators(context, site);
    const variables = env("char", 1, "'s'");
    const decimal = /^printed: -?\d{1,4}$/m;
    expect(bare(variables, "format", address)).not.toMatch(decimal);
    expect(site.runWith([], variables, attack, "format", address).stdout).toMatch(decimal);
    expect(rules()).toEqual(new Set(["element_writer"]));
    // the same iterator in audit: recorded, and left to the kernel
    site.forgetLog();
    expect(site.runWith(["--audit"], variables, attack, "format", address).stdout).not.toMatch(decimal);
    expect(rules()).toEqual(new Set(["element_writer"]));
  });

  it("may be read by iterators", (context) => {
    needsElementIterators(context, site);
    site.policy("export const bpf_prog_load = () => 0;");
    const object = site.object("reader", READER);
    const pin = join(site.bpffs, "reader");
    const map = join(site.bpffs, "elements");
    const script = `bpftool map create ${map} type array key 4 value 8 entries 3 name elements &&
      bpftool iter pin ${object} ${pin} map pinned ${map} && cat ${pin}; rm ${pin} ${map}`;
    expect(site.run("sh", "-c", script)).toMatchObject({ status: 0, stdout: "0\n0\n0\n", stderr: "" });
    expect(rules()).toEqual(new Set());
  });
});

const iterator = (type: string, offset: number, value: string) => `
struct element { void *meta; void *map; void *key; void *value; };
__attribute__((section("iter/bpf_map_elem"), used)) int change(struct element *it)
{
	char *value = it->value;

	if (value)
		*(${type} *)(value + ${offset}) = ${value};
	return 0;
}
char _license[] __attribute__((section("license"))) = "GPL";
`;

const READER = `
struct bpf_iter_meta { void *seq; } __attribute__((preserve_access_index));
struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; void *map; void *key; void *value; };
static long (*seq_write)(void *seq, const void *data, unsigned size) = (void *)127;
__attribute__((section("iter/bpf_map_elem"), used)) int show(struct bpf_iter__bpf_map_elem *it)
{
	long *value = it->value;
	char text[2] = { '0', '\\n' };

	if (!value)
		return 0;
	text[0] += *value & 1;
	seq_write(it->meta->seq, text, 2);
	return 0;
}
char _license[] __attribute__((section("license"))) = "GPL";
`;
