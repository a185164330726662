import { describe, expect, it } from "vitest";
import { SharedMaps } from "../../../../src/loaded/effects/shared-maps.js";
import type { Reference } from "../../../../src/loaded/model/references.js";

const process = (pid: number): Reference => {
  return { by: "process", pid, descriptors: 1, exe: null, unit: null, container: null };
};
const program = (id: number): Reference => ({ by: "program", id });
const link = (id: number): Reference => ({ by: "link", id });
const PIN: Reference = { by: "pin", path: "/sys/fs/bpf/x", mountNamespace: null };

describe("a map of program 1", () => {
  it.each<[string, Readonly<Record<string, readonly Reference[]>>, boolean]>([
    ["that nothing else has", { "program:1": [process(5)], "map:9": [program(1)] }, false],
    ["that its loader holds", { "program:1": [process(5)], "map:9": [program(1), process(5)] }, false],
    ["that another process holds", { "program:1": [process(5)], "map:9": [program(1), process(6)] }, true],
    ["that is pinned", { "program:1": [process(5)], "map:9": [program(1), PIN] }, true],
    [
      "that another program of its loader uses",
      { "program:1": [process(5)], "program:2": [process(5)], "map:9": [program(1), program(2)] },
      false,
    ],
    [
      "that another loader's program uses",
      { "program:1": [process(5)], "program:2": [process(6)], "map:9": [program(1), program(2)] },
      true,
    ],
    [
      "whose loader holds only links of its programs",
      {
        ...{ "program:1": [link(3)], "program:2": [link(4)], "link:3": [process(5)], "link:4": [process(5)] },
        "map:9": [program(1), program(2), process(5)],
      },
      false,
    ],
    ["that a program without a holder uses", { "program:1": [process(5)], "map:9": [program(1), program(2)] }, true],
    ["of a program without a holder", { "map:9": [program(1)] }, false],
    ["that a process holds, of a program without a holder", { "map:9": [program(1), process(5)] }, true],
  ])("%s is shared: %s", (_, references, isShared) => {
    expect(new SharedMaps(new Map(Object.entries(references))).isShared(1, 9)).toBe(isShared);
  });
});
