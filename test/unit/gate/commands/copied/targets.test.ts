import { describe, expect, it } from "vitest";
import { ATTACH_TYPES } from "../../../../../src/bpf/tables/names.gen.js";
import { attachTargetOf, targetOf } from "../../../../../src/gate/commands/copied/targets.js";

describe("what a program is attached to", () => {
  const of = (type: string, program = 0) => targetOf(ATTACH_TYPES.indexOf(type), program);

  it("depends on the attach type", () => {
    expect(of("xdp")).toMatchObject({ kind: "interface", by: "number" });
    expect(of("cgroup_unix_connect")).toMatchObject({ kind: "cgroup", by: "fd" });
    expect(of("trace_fexit")).toMatchObject({ kind: "function", by: "fd or none" });
  });

  it("is a program if it replaces a part of another program, whatever its attach type", () => {
    const EXT = 28;
    for (const type of ATTACH_TYPES) expect(of(type, EXT), type).toMatchObject({ kind: "function", by: "fd or none" });
    expect(targetOf(0xffffffff, EXT)?.kind).toBe("function");
  });

  it("is unknown if the attach type attaches nothing, or is newer than the tables", () => {
    for (const type of ["xdp_devmap", "xdp_cpumap", "sk_reuseport_select"]) expect(of(type), type).toBeNull();
    expect(targetOf(ATTACH_TYPES.length, 0)).toBeNull();
    expect(attachTargetOf(0xffffffff)).toBeNull();
  });

  it("is the caller's own network for BPF_PROG_ATTACH, and the fd's for a link", () => {
    const type = ATTACH_TYPES.indexOf("flow_dissector");
    expect([targetOf(type, 0)?.by, attachTargetOf(type)?.by]).toEqual(["fd", "nothing"]);
  });

  it("is never an fd that the gate would take for a number", () => {
    // every attach type has a kind, or is not known: none is left to be guessed
    for (const type of ATTACH_TYPES)
      expect(["fd", "fd or none", "number", "nothing", undefined]).toContain(of(type)?.by);
  });
});
