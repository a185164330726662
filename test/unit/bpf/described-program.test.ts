import { describe, expect, it } from "vitest";
import { describedProgram, type ProgramDescription } from "../../../src/bpf/described-program.js";
import { sha256 } from "../../../src/bpf/insn/digest.js";
import { EFFECTS } from "../../../src/bpf/model/facts.js";
import { HELPER_ROWS } from "../../../src/bpf/tables/helpers.js";
import { HELPERS } from "../../../src/bpf/tables/names.gen.js";
import { PROGRAM_TYPE_ROWS, type ProgramTypeRow } from "../../../src/bpf/tables/program-types.js";

const described = (more: Partial<ProgramDescription>) =>
  describedProgram({
    name: "test",
    type: "kprobe",
    expected_attach_type: null,
    attach_to: null,
    section: null,
    license: "GPL",
    helpers: [],
    kfuncs: [],
    maps: [],
    insn_cnt: undefined,
    returns: undefined,
    effects: {},
    ...more,
  });
const MAP = { name: "m", type: "hash", key_size: 8, value_size: 8, max_entries: 1024, flags: 0, contents: null };

const decidesAlways = ({ verdict, calls_bpf }: ProgramTypeRow) =>
  calls_bpf === true || verdict === "always" || (typeof verdict === "object" && verdict.neutral.length === 0);

describe("a described program", () => {
  it("calls each helper there is, and has at least the helper's effects", () => {
    for (const row of HELPER_ROWS) {
      if (row === undefined) continue;
      const name = HELPERS[row.id]!;
      const { helpers, effects } = described({ helpers: [name] });
      expect(helpers).toEqual([name]);
      expect(EFFECTS.filter((effect) => row.effects.includes(effect) && !effects[effect])).toEqual([]);
    }
  });

  it("decides nothing if its type has a value that decides nothing", () => {
    for (const row of PROGRAM_TYPE_ROWS.values())
      expect([row.type, described({ type: row.type }).effects.decides]).toEqual([row.type, decidesAlways(row)]);
    expect(described({ type: "xdp" }).effects.decides).toBe(false);
    expect(described({ type: "xdp", returns: 1 }).effects.decides).toBe(true);
  });

  it("has its maps in order, with their memory, and one of its own if a helper needs one", () => {
    const { maps } = described({
      maps: [
        { ...MAP, name: "b" },
        { ...MAP, name: "a" },
      ],
    });
    expect(maps.map(({ name, memory }) => [name, memory])).toEqual([
      ["b", 81920],
      ["a", 81920],
    ]);
    expect(described({ helpers: ["bpf_map_lookup_elem"] }).maps).toMatchObject([{ name: "map", type: "hash" }]);
    expect(described({ helpers: ["bpf_map_lookup_elem"], maps: [MAP] }).maps).toHaveLength(1);
  });

  it("calls kfuncs by name", () => {
    const { kfuncs, effects } = described({ kfuncs: ["bpf_task_release", "bpf_task_acquire"] });
    expect(kfuncs).toEqual(["bpf_task_acquire", "bpf_task_release"]);
    expect(effects.read_only).toBe(true);
  });

  it("is as long as it says, and has the digest of its instructions", () => {
    const { insn_cnt, insns, digest, tag } = described({ helpers: ["bpf_loop"], insn_cnt: 5000 });
    expect(insn_cnt).toBe(5000);
    expect(insns).toHaveLength(8 * 5000);
    expect(digest).toBe(sha256(insns));
    expect(tag).toBe(digest.slice(0, 16));
  });

  it("takes effects that are given, with `read_only` as it follows from them", () => {
    const stated = described({ effects: { sends_signal: true } });
    expect(stated.effects).toMatchObject({ sends_signal: true, read_only: false });
    expect(stated.evidence).toMatchObject([{ effect: "sends_signal", because: "the test says so" }]);
    expect(described({ effects: { reads_kernel_memory: true } }).effects.read_only).toBe(true);
    const harmless = described({ helpers: ["bpf_send_signal"], effects: { sends_signal: false } });
    expect(harmless.effects).toMatchObject({ sends_signal: false, read_only: true });
    expect(harmless.evidence).toEqual([]);
    expect(described({ effects: { read_only: false } }).effects.read_only).toBe(false);
  });

  it("keeps what it says of itself", () => {
    const own = { name: "f", attach_to: "vfs_read", section: "kprobe/vfs_read", license: "MIT" };
    expect(described(own)).toMatchObject({ ...own, gpl_compatible: false });
  });

  it.each([
    [{ helpers: ["bpf_map_lookup_elm"] }, "did you mean `bpf_map_lookup_elem`?"],
    [{ helpers: ["bpf_send_signal"], insn_cnt: 3 }, "`insn_cnt` is 3"],
    [{ insn_cnt: 1_000_001 }, "`insn_cnt` is 1000001"],
  ])("rejects %j", (more, message) => {
    expect(() => described(more)).toThrow(expect.objectContaining({ code: "INSN_MALFORMED" }));
    expect(() => described(more)).toThrow(message);
  });
});
