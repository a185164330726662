import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LINK_TYPES, type LinkType, PERF_EVENTS } from "../../../../src/loaded/views/link-fields.js";
import { LINK_SIZE } from "../../../../src/loaded/views/link-report.js";
import { MAP_FIELDS } from "../../../../src/loaded/views/map-report.js";
import { PROGRAM_FIELDS } from "../../../../src/loaded/views/program-report.js";

const HEADER = "/usr/include/linux/bpf.h";

/** The members that a type of links is read from: their paths in struct bpf_link_info with their offsets. */
function membersOf(prefix: string, { fields, text }: LinkType): readonly (readonly [string, number])[] {
  const own = fields.map(({ name, offset }) => [`${prefix}.${name}`, offset] as const);
  const length = text?.name === "path" ? "path_size" : text?.name.endsWith("_name") ? text.length : 0;
  if (text === null) return own;
  const lengthName =
    text.name === "path" ? "path_size" : prefix.startsWith("perf_event") ? "name_len" : `${text.name}_len`;
  expect(length).not.toBe(0);
  return [...own, [`${prefix}.${text.name}`, text.address], [`${prefix}.${lengthName}`, text.length]];
}

it("reads each field where linux/bpf.h has it", { tags: ["deep"] }, (context) => {
  if (!existsSync(HEADER) || spawnSync("gcc", ["--version"]).status !== 0) context.skip("needs linux-libc-dev and gcc");
  const events: Readonly<Record<string, string>> = { uretprobe: "uprobe", kretprobe: "kprobe" };
  const members = [
    ...Object.entries(PROGRAM_FIELDS).map(([name, at]) => ["bpf_prog_info", name, at] as const),
    ...Object.entries(MAP_FIELDS).map(([name, at]) => ["bpf_map_info", name, at] as const),
    ...LINK_TYPES.flatMap((type) => membersOf(type.type, type)).map(
      ([name, at]) => ["bpf_link_info", name, at] as const,
    ),
    ...PERF_EVENTS.flatMap((type) => membersOf(`perf_event.${events[type.type] ?? type.type}`, type)).map(
      ([name, at]) => ["bpf_link_info", name, at] as const,
    ),
    ["bpf_link_info", "perf_event.type", 16] as const,
    ["bpf_link_info", "iter.map.map_id", 28] as const,
    ["bpf_link_info", "iter.cgroup.cgroup_id", 32] as const,
    ["bpf_link_info", "iter.cgroup.order", 40] as const,
    ["bpf_link_info", "iter.task.tid", 32] as const,
    ["bpf_link_info", "iter.task.pid", 36] as const,
  ];
  const lines = members.map(([struct, name]) => `printf("%zu ", offsetof(struct ${struct}, ${name}));`);
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  writeFileSync(
    join(folder, "layout.c"),
    `#include <linux/bpf.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) { ${lines.join("\n")}
printf("%zu", sizeof(struct bpf_link_info)); }`,
  );
  execFileSync("gcc", ["-o", join(folder, "layout"), join(folder, "layout.c")]);
  const said = execFileSync(join(folder, "layout"), { encoding: "utf8" }).split(" ").map(Number);
  rmSync(folder, { recursive: true });
  expect(said.pop()).toBeLessThanOrEqual(LINK_SIZE);
  expect(members.map(([struct, name], index) => `${struct}.${name} ${said[index]}`)).toEqual(
    members.map(([struct, name, at]) => `${struct}.${name} ${at}`),
  );
});

it("has the types of links and events by their numbers", (context) => {
  if (!existsSync(HEADER)) context.skip("needs linux-libc-dev");
  const header = readFileSync(HEADER, "utf8");
  const names = (prefix: string) =>
    Array.from(header.matchAll(new RegExp(`^\\t${prefix}(\\w+) = (\\d+),`, "gm")), ([, name]) => name!.toLowerCase());
  const links = names("BPF_LINK_TYPE_");
  expect(links.length).toBeGreaterThan(10);
  expect(LINK_TYPES.map(({ type }) => type).slice(0, links.length)).toEqual(links);
  expect(PERF_EVENTS.map(({ type }) => type)).toEqual(names("BPF_PERF_EVENT_"));
});
