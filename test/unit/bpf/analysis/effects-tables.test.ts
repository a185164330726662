import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import { HELPER_ROWS } from "../../../../src/bpf/tables/helpers.js";
import { KFUNC_ROWS, KFUNCS } from "../../../../src/bpf/tables/kfuncs.js";
import { HELPERS, PROGRAM_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { type ContextRow, contextOfStruct, PROGRAM_TYPE_ROWS } from "../../../../src/bpf/tables/program-types.js";

describe("the table of helpers", () => {
  it("has a row for each helper, under the name that the kernel's header gives it", () => {
    expect(
      HELPER_ROWS.map((row, id) => (row === undefined ? "bpf_unspec" : `bpf_${row.name}`) === HELPERS[id]),
    ).not.toContain(false);
    expect(HELPER_ROWS.length).toBe(HELPERS.length);
    expect(HELPER_ROWS.slice(1).every((row, index) => row?.id === index + 1)).toBe(true);
  });

  it("marks the 22 of bpf_helper_changes_pkt_data, and all of them write the packet", () => {
    const changing = HELPER_ROWS.filter((row) => row?.changesPacket);
    expect(changing.length).toBe(22);
    expect(changing.every((row) => row?.effects.includes("writes_packet"))).toBe(true);
  });

  it("names a map wherever one is changed or looked up, and gives callbacks a context", () => {
    for (const row of HELPER_ROWS) {
      if (row === undefined) continue;
      expect(row.args, row.name).toMatch(/^[-cmrwofdtxyz]{0,5}$/);
      if (row.writesMap || row.returns === "map_value") expect(row.args, row.name).toContain("m");
      if (row.flag !== null) expect(row.args[row.flag.argument], row.name).toBe("-");
    }
  });
});

describe("the table of program types", () => {
  it("has a row for each type that the kernel has", () => {
    expect([...PROGRAM_TYPE_ROWS.keys()].sort()).toEqual(PROGRAM_TYPES.filter((name) => name !== "unspec").sort());
  });
});

describe("the context of a structure", () => {
  it("give a pointer to flow_keys to flow dissectors only, and to what may replace one", () => {
    const having = (row: ContextRow | undefined) => row?.pointers.some(({ kind }) => kind === "flow_keys") === true;
    const types = [...PROGRAM_TYPE_ROWS.values()].filter(({ context }) => having(context)).map(({ type }) => type);
    expect(types).toEqual(["flow_dissector"]);
    expect(having(contextOfStruct("__sk_buff"))).toBe(true);
  });

  it("is that of every type whose context it is, with whatever one of them holds and lets be written", () => {
    for (const { context } of PROGRAM_TYPE_ROWS.values()) {
      const found = contextOfStruct(context.name);
      if (found === undefined) continue;
      expect(context.otherwise).toBe("number");
      expect(found.pointers, context.name).toEqual(expect.arrayContaining([...context.pointers]));
      expect(found.writable, context.name).toEqual(expect.arrayContaining([...context.writable]));
    }
    expect(contextOfStruct("xdp_md")?.name).toBe("xdp_md");
  });

  it("is not known where types have the same structure and other things in it, or where it is no context's", () => {
    expect(contextOfStruct("bpf_raw_tracepoint_args")).toBeUndefined();
    expect(contextOfStruct("task_struct")).toBeUndefined();
  });
});

describe("the table of kfuncs", () => {
  it("names no kfunc twice", () => {
    expect(KFUNCS.length).toBeGreaterThan(150);
    expect(KFUNCS.map(({ name }) => name).filter((name, index, all) => all.indexOf(name) !== index)).toEqual([]);
  });

  it("knows the effects that it names", () => {
    expect(
      [...KFUNC_ROWS.values()].flatMap(({ effects }) => effects).filter((name) => !EFFECTS.includes(name)),
    ).toEqual([]);
  });
});
