import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kernelInImage, releaseOfImage } from "../../../../../src/cli/kernel/image/boot-image.js";
import { withoutX86Filter } from "../../../../../src/cli/kernel/image/filtered-xz.js";
import { MemorySource } from "../../../../../src/cli/kernel/source/byte-source.js";
import { bootImage, FIXTURE_KERNEL, gzippedImage } from "../../../../support/kernel-files.js";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const source = (bytes: Uint8Array) => new MemorySource("vmlinuz", bytes);

describe("kernelInImage", () => {
  it("undoes the filter of xz for x86, byte by byte as xz does", async () => {
    const image = bootImage(fixture("vmlinux.x86.xz"), FIXTURE_KERNEL.length);
    expect(FIXTURE_KERNEL.equals(await kernelInImage(source(image)))).toBe(true);
  });

  it("checks the size and the checksum", async () => {
    const xz = fixture("vmlinux.x86.xz");
    await expect(kernelInImage(source(bootImage(xz, 5)))).rejects.toMatchObject({
      code: "KERNEL_MALFORMED",
      message: `decompresses to ${FIXTURE_KERNEL.length} bytes, not to 5`,
    });
    // The check is before the index (8 bytes and CRC) and the footer (12 bytes).
    const damaged = Buffer.from(xz);
    const index = damaged.length - 12 - (damaged.readUInt32LE(damaged.length - 8) + 1) * 4;
    damaged[index - 1]! ^= 1;
    await expect(kernelInImage(source(bootImage(damaged, FIXTURE_KERNEL.length)))).rejects.toMatchObject({
      code: "KERNEL_MALFORMED",
      message: "its check does not match",
    });
  });

  it("rejects an image before version 2.8 of the boot protocol", async () => {
    const image = gzippedImage(FIXTURE_KERNEL);
    image.writeUInt16LE(0x0207, 0x206);
    await expect(kernelInImage(source(image))).rejects.toMatchObject({ code: "KERNEL_UNSUPPORTED" });
  });
});

describe("releaseOfImage", () => {
  it("is the first word of the version", () => {
    expect(releaseOfImage(source(gzippedImage(FIXTURE_KERNEL, "7.2.13+deb14-amd64")))).toBe("7.2.13+deb14-amd64");
  });

  it("is null if the image has none, or names a place beyond its end", () => {
    const image = gzippedImage(FIXTURE_KERNEL);
    image.writeUInt16LE(0, 0x20e);
    expect(releaseOfImage(source(image))).toBe(null);
    image.writeUInt16LE(0xffff, 0x20e);
    expect(releaseOfImage(source(image))).toBe(null);
  });
});

describe("withoutX86Filter", () => {
  it("is null for a stream without filter", () => expect(withoutX86Filter(fixture("vmlinux.xz"), "k")).toBe(null));
});
