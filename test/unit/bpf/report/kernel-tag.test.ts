import { describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { tagOnKernel } from "../../../../src/bpf/report/kernel-tag.js";
import { switchKernel } from "../../../support/switch-kernel.js";

/** `r0 = 0; exit`, whose tags are known from kernels. */
const insns = Buffer.from("b7000000000000009500000000000000", "hex");
const tag = "2c5bdc8c9bf2a7b5";

describe("tagOnKernel", () => {
  it("is the tag of Linux 6.18 where struct bpf_prog has a digest", () => {
    expect(tagOnKernel(new Btf(switchKernel().bytes()), { insns, tag })).toBe(tag);
  });

  it("is that of SHA-1 on older kernels", () => {
    expect(tagOnKernel(new Btf(switchKernel({ sha256: false }).bytes()), { insns, tag })).toBe("a04f5eef06a7f555");
  });

  it("stays unknown where the instructions hold fds", () => {
    expect(tagOnKernel(new Btf(switchKernel({ sha256: false }).bytes()), { insns, tag: null })).toBe(null);
  });
});
