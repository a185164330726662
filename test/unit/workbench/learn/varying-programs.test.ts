import { describe, expect, it } from "vitest";
import type { SeenProgram } from "../../../../src/workbench/learn/seen-program.js";
import { VaryingPrograms } from "../../../../src/workbench/learn/varying-programs.js";

const program = (digest: string, more: Partial<SeenProgram> = {}): SeenProgram => ({
  ...{ name: "trace", type: "kprobe", digest, effects: [], statements: [], isUnasked: false, place: null },
  ...{ kernel: "6.12", exe: "/usr/bin/bpftrace", ...more },
});

function found(...runs: readonly (readonly [run: number, SeenProgram])[]) {
  const varying = new VaryingPrograms();
  for (const [run, one] of runs) varying.add(one, run);
  return varying.found(new Set(["a", "b"]));
}

describe("varying programs", () => {
  it("are those of which a run has a digest that another has not", () => {
    const named = { name: "trace", type: "kprobe", exe: "/usr/bin/bpftrace", digests: 2 };
    expect(found([1, program("a")], [2, program("b")])).toEqual([named]);
    expect(found([1, program("a")], [2, program("a")], [2, program("b")])).toEqual([named]);
  });

  it("are not those that each run loads with the same digests", () => {
    expect(found([1, program("a")], [2, program("a")])).toEqual([]);
    expect(found([1, program("a")], [1, program("b")])).toEqual([]);
    expect(found([1, program("a")], [1, program("b")], [2, program("b")], [2, program("a")])).toEqual([]);
  });

  it("are told apart by name, type, executable and kernel", () => {
    for (const more of [{ name: "other" }, { type: "xdp" }, { exe: null }, { kernel: "7.2" }])
      expect(found([1, program("a")], [2, program("b", more)])).toEqual([]);
  });

  it("are those only that are learnt by digest", () => {
    expect(found([1, program("c")], [2, program("d")])).toEqual([]);
    expect(found([1, program("c")], [2, program("b")])).toHaveLength(1);
  });

  it("are sorted", () => {
    const two = (name: string, exe: string) =>
      [
        [1, program("a", { name, exe })],
        [2, program("b", { name, exe })],
      ] as const;
    const all = found(...two("z", "/a"), ...two("a", "/b"), ...two("a", "/a"));
    expect(all.map(({ name, exe }) => [name, exe])).toEqual([
      ["a", "/a"],
      ["a", "/b"],
      ["z", "/a"],
    ]);
  });
});
