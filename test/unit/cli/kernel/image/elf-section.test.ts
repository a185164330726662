import { describe, expect, it } from "vitest";
import { elfSection } from "../../../../../src/cli/kernel/image/elf-section.js";
import { MemorySource } from "../../../../../src/cli/kernel/source/byte-source.js";
import { setHeader } from "../../../../support/elf-patch.js";
import { example } from "../../../../support/examples.js";
import { btfWith, FIXTURE_KERNEL, kernelElf } from "../../../../support/kernel-files.js";

const section = (bytes: Uint8Array, name: string, limit = 1 << 20) =>
  elfSection(new MemorySource("vmlinux", bytes), name, limit);

describe("elfSection", () => {
  it("finds a section of a file for any machine", () => {
    const kernel = setHeader(Buffer.from(FIXTURE_KERNEL), "machine", 62);
    expect(Buffer.from(section(kernel, ".BTF")!).equals(btfWith("in_fixture"))).toBe(true);
  });

  it("reads either byte order", () => expect(section(example("xdp-steer.be"), ".BTF")).not.toBe(null));

  it("is null if there is none of the name, also not as the beginning of another", () => {
    expect(section(kernelElf(null), ".BTF")).toBe(null);
    expect(section(FIXTURE_KERNEL, ".BT")).toBe(null);
  });

  it("rejects a section above the limit", () => {
    expect(() => section(FIXTURE_KERNEL, ".BTF", 10)).toThrow(expect.objectContaining({ code: "FILE_TOO_LARGE" }));
  });
});
