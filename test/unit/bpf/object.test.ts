import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BpfObject, factsOfObject } from "../../../src/bpf/object.js";
import { example } from "../../support/examples.js";

const programOf = (object: string, name: string) => {
  const found = factsOfObject(example(object)).programs.find((program) => program.name === name);
  if (found === undefined) throw new Error(`no program ${name}`);
  return found;
};

describe("the facts about an object file", () => {
  it("name each program with its section, type, target and licence", () => {
    expect(programOf("exec-guard", "guard")).toMatchObject({
      section: "lsm/bprm_check_security",
      type: "lsm",
      expected_attach_type: "lsm_mac",
      attach_to: "bprm_check_security",
      license: "GPL",
      gpl_compatible: true,
    });
    expect(programOf("xdp-steer", "count")).toMatchObject({
      type: "xdp",
      expected_attach_type: "xdp",
      attach_to: null,
      license: "Dual BSD/GPL",
    });
  });

  it("list programs by section, then by place", () => {
    expect(factsOfObject(example("xdp-steer")).programs.map(({ name }) => name)).toEqual([
      "drop_blocked",
      "send_on",
      "count",
    ]);
  });

  it("count the instructions of subprograms and callbacks with the program's own", () => {
    const limit = programOf("rate-limit", "limit");
    expect(limit.insn_cnt).toBe(82);
    expect(limit.insns).toHaveLength(8 * 82);
    expect(limit.helpers).toEqual(["bpf_ktime_get_ns", "bpf_loop", "bpf_map_lookup_elem"]);
    // what `measure` reaches is less
    expect(programOf("rate-limit", "measure")).toMatchObject({ insn_cnt: 50, helpers: ["bpf_ktime_get_ns"] });
  });

  it("tell the maps that a program refers to, those of its global data among them", () => {
    expect(programOf("rate-limit", "limit").maps.map(({ name, type, value_size }) => [name, type, value_size])).toEqual(
      [
        ["buckets", "hash", 16],
        [".bss", "array", 8],
        [".data", "array", 24],
        [".rodata", "array", 16],
      ],
    );
    expect(programOf("xdp-steer", "drop_blocked").maps).toEqual([
      {
        name: "blocked",
        type: "lpm_trie",
        key_size: 8,
        value_size: 4,
        max_entries: 4096,
        flags: 1,
        contents: null,
        memory: 327680,
        memory_per_cpu: 0,
      },
    ]);
  });

  it("give the digest of contents that are frozen and read-only, and of no others", () => {
    const maps = programOf("rate-limit", "limit").maps;
    const rodata = Buffer.alloc(16);
    rodata.writeBigUInt64LE(64n, 0);
    rodata.writeBigUInt64LE(1_000_000n, 8);
    expect(maps.map(({ contents }) => contents)).toEqual([
      null,
      null,
      null,
      createHash("sha256").update(rodata).digest("hex"),
    ]);
  });

  it("read maps of the older section", () => {
    expect(programOf("legacy-count", "count_lengths").maps).toEqual([
      {
        name: "lengths",
        type: "array",
        key_size: 4,
        value_size: 8,
        max_entries: 16,
        flags: 0,
        contents: null,
        memory: 128,
        memory_per_cpu: 0,
      },
    ]);
  });

  it("tell what a map of maps holds, and the flags of maps", () => {
    const object = new BpfObject(example("tenant-quota"));
    const program = object.program(object.functions[0]!);
    const maps = new Map(
      Array.from({ length: program.insns.count }, (_, slot) => program.mapAt(slot)?.map)
        .filter((map) => map !== undefined)
        .map((map) => [map.name, map]),
    );
    expect(maps.get("tenants")).toMatchObject({
      type: "array_of_maps",
      key_size: 4,
      value_size: 4,
      own: true,
      inner: { type: "array", key_size: 4, value_size: 8, max_entries: 16, own: false },
    });
    expect(maps.get("known")).toMatchObject({ type: "bloom_filter", key_size: 0, value_size: 4, max_entries: 1000 });
    expect(maps.get("limit")).toMatchObject({ flags: 0x480, contents: null, frozen: false });
  });

  it("name kfuncs, and make a map of the kernel's configuration", () => {
    expect(programOf("exec-guard", "guard").kfuncs).toEqual(["bpf_task_from_pid", "bpf_task_release"]);
    expect(programOf("exec-guard", "watch").maps.map(({ name }) => name)).toEqual([".kconfig", ".rodata"]);
  });

  it("say which member of a kernel structure a struct_ops program is attached to", () => {
    expect(factsOfObject(example("calm-tcp")).programs.map(({ name, attach_to }) => [name, attach_to])).toEqual([
      ["calm_ssthresh", "tcp_congestion_ops.ssthresh"],
      ["calm_undo_cwnd", "tcp_congestion_ops.undo_cwnd"],
      ["calm_cong_avoid", "tcp_congestion_ops.cong_avoid"],
    ]);
  });

  it("give the tags that Linux 6.18 gave", () => {
    const tags = ["drop-telnet", "peek-tc", "exec-log", "kill-writer", "rate-limit", "xdp-steer", "last-word"].flatMap(
      (name) => factsOfObject(example(name)).programs.map((program) => [program.name, program.tag]),
    );
    expect(Object.fromEntries(tags)).toEqual({
      drop_telnet: "443f72a5af905922",
      peek: "4c16a7662a3ce5bc",
      log_exec: "1394853c4f490a48",
      kill_writer: "b1f301d9099bf8cb",
      limit: "22b82fc527351dac",
      measure: "ceaeb6033bbacd8a",
      drop_blocked: "4ee413db5b8e3110",
      send_on: "3bde55e19ab751ba",
      count: "671e1cfa7d68206f",
      classify: "d48476a13c4bf05c",
    });
  });

  it("are the same for a big-endian build, its bytes aside", () => {
    const [little, big] = [factsOfObject(example("xdp-steer")), factsOfObject(example("xdp-steer.be"))];
    expect(big.byte_order).toBe("big");
    for (const [index, program] of big.programs.entries()) {
      const { name, section, type, helpers, maps, license, effects } = little.programs[index]!;
      expect(program).toMatchObject({ name, section, type, helpers, maps, license, effects });
    }
  });

  it("do not change from one reading to the next", () => {
    expect(factsOfObject(example("rate-limit"))).toEqual(factsOfObject(example("rate-limit")));
  });
});
