import { describe, expect, it } from "vitest";
import { reportedMapFlags } from "../../../../src/bpf/tables/map-flags.js";

describe("the flags that the kernel reports of a map", () => {
  it.each([
    ["hash", 1, 1],
    ["devmap", 0, 128],
    ["devmap_hash", 1, 129],
    // access of an fd: BPF_F_RDONLY and BPF_F_WRONLY
    ["array", 8 | 16, 0],
    ["array", 128 | 1024, 128 | 1024],
    ["array", 1 << 31, 2 ** 31],
  ])("are those of its creation, for %s and %i", (type, flags, reported) => {
    expect(reportedMapFlags(type, flags)).toBe(reported);
  });
});
