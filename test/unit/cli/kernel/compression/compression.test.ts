import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressionOf, decompressed, joined } from "../../../../../src/cli/kernel/compression/compression.js";
import { FIXTURE_KERNEL } from "../../../../support/kernel-files.js";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

const COMPRESSED: readonly (readonly [string, Buffer])[] = [
  ["gzip", gzipSync(FIXTURE_KERNEL)],
  ["xz", fixture("vmlinux.xz")],
  ["zstd", fixture("vmlinux.zst")],
  ["lz4", fixture("vmlinux.lz4")],
];

function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const decompress = (bytes: Uint8Array, limit: number, size = 1000) =>
  joined(decompressed(compressionOf(bytes)!, inPieces(bytes, size), limit, "kernel"));

describe("decompressed", () => {
  it.each(COMPRESSED)("reads %s in pieces", { tags: ["deep"] }, async (name, bytes) => {
    expect(compressionOf(bytes)?.name).toBe(name);
    for (const size of [1, 999, bytes.length])
      expect(FIXTURE_KERNEL.equals(await decompress(bytes, 1 << 20, size))).toBe(true);
  });

  it.each(COMPRESSED)("ends %s at the limit", async (_, bytes) => {
    expect((await decompress(bytes, FIXTURE_KERNEL.length)).length).toBe(FIXTURE_KERNEL.length);
    await expect(decompress(bytes, FIXTURE_KERNEL.length - 1)).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  });

  it.each(COMPRESSED)("goes on with other data after %s was not read to its end", async (_, bytes) => {
    for await (const piece of decompressed(compressionOf(bytes)!, inPieces(bytes, 1000), 1 << 20, "kernel")) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    for (const [, other] of COMPRESSED) expect((await decompress(other, 1 << 20)).length).toBe(FIXTURE_KERNEL.length);
  });

  it("names a format that it does not decompress", async () => {
    await expect(decompress(Buffer.from("BZh91AY&SY"), 1 << 20)).rejects.toMatchObject({
      code: "KERNEL_UNSUPPORTED",
      message: "is compressed with bzip2, which is not supported",
    });
  });

  it("takes other bytes for not compressed", () => expect(compressionOf(FIXTURE_KERNEL)).toBe(null));
});
