import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { own } from "../../../support/workplace.js";

describe("guard.bpf.o", () => {
  it("names source files by paths that do not depend on where it was compiled", () => {
    const text = readFileSync(own("src/seal/guard/guard.bpf.o"), "latin1");
    const files = [...text.matchAll(/[\w./+-]+\.[hc](?=\0)/g)].map(([path]) => path);
    expect(files).toContain("././digest.bpf.h");
    expect(files.filter((path) => path.startsWith("/") && !path.startsWith("/usr/include/"))).toEqual([]);
  });
});
