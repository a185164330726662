import { describe, expect, it } from "vitest";
import { MAP_TYPES, PROGRAM_TYPES } from "../../../../../src/bpf/tables/names.gen.js";
import { neededForMap, neededForProgram } from "../../../../../src/gate/commands/objects/required-capabilities.js";
import { capabilityNames } from "../../../../../src/gate/task/caller.js";

describe("what may be granted to a task", () => {
  const program = (type: string) => capabilityNames(neededForProgram(PROGRAM_TYPES.indexOf(type)));
  const map = (type: string) => capabilityNames(neededForMap(MAP_TYPES.indexOf(type)));

  it("is what the kernel asks for before it looks at a program or map of that type", () => {
    expect(program("socket_filter")).toEqual(["CAP_BPF"]);
    expect(program("xdp")).toEqual(["CAP_NET_ADMIN", "CAP_BPF"]);
    expect(program("kprobe")).toEqual(["CAP_PERFMON", "CAP_BPF"]);
    expect(program("ext")).toEqual(["CAP_NET_ADMIN", "CAP_PERFMON", "CAP_BPF"]);
    expect(map("hash")).toEqual(["CAP_BPF"]);
    expect(map("xskmap")).toEqual(["CAP_NET_ADMIN", "CAP_BPF"]);
  });

  it("is nothing for a program that calls bpf(2), and CAP_BPF alone for a type that is newer", () => {
    expect(program("syscall")).toEqual([]);
    expect(capabilityNames(neededForProgram(4000))).toEqual(["CAP_BPF"]);
  });

  it("never has CAP_PERFMON for networking, nor CAP_SYS_ADMIN for anything", () => {
    for (const type of PROGRAM_TYPES) {
      expect(program(type), type).not.toContain("CAP_SYS_ADMIN");
      if (program(type).includes("CAP_NET_ADMIN") && type !== "ext")
        expect(program(type), type).not.toContain("CAP_PERFMON");
    }
  });
});
