/** libbpf, as bpftool has it, opens the objects that `prove witness` assembles. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "../../src/bpf/assembly/assembly-lines.js";
import { writeObject } from "../../src/bpf/assembly/object-writer.js";
import type { MapFacts } from "../../src/bpf/model/facts.js";
import { SECTIONS } from "../../src/bpf/tables/sections.gen.js";
import { mapsLike } from "../../src/prove/real/program-object.js";

const BPFTOOL = "/usr/sbin/bpftool";

describe.skipIf(!existsSync(BPFTOOL))("an object that is assembled (needs bpftool)", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** What libbpf says against it; empty if it opens it. */
  const rejection = (object: Buffer) => {
    const file = join(folder, "witness.o");
    writeFileSync(file, object);
    const { status, stderr } = spawnSync(BPFTOOL, ["gen", "skeleton", file], { encoding: "utf8", timeout: 20_000 });
    return status === 0 ? "" : stderr;
  };
  const sizes = { key_size: 4, value_size: 8, max_entries: 70_000, flags: 0 };
  const maps = mapsLike([
    { name: "stats", type: "hash", ...sizes } as MapFacts,
    { name: "events", type: "ringbuf", ...sizes, key_size: 0, value_size: 0 } as MapFacts,
    { name: "stats", type: "array", ...sizes, flags: 1 << 10 } as MapFacts,
  ]);
  const byName = Object.fromEntries(maps.map((map) => [map.name, map]));
  const lines = parse("r1 = map stats\nr1 = map events\ncall kfunc bpf_task_release\nr0 = 0\nexit", byName);

  it.each(SECTIONS.map(([name]) => [name]))("is opened by libbpf with section %s", (section) => {
    expect(rejection(writeObject({ name: "program", section, license: "GPL", lines, maps }))).toBe("");
    const small = { lines: parse("r0 = 0\nexit"), maps: [] };
    expect(rejection(writeObject({ name: "program", section, license: "", ...small }))).toBe("");
  });
});
