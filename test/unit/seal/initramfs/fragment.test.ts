import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cpio } from "../../../../src/seal/initramfs/cpio.js";
import { fragment } from "../../../../src/seal/initramfs/fragment.js";
import { sealFragment } from "../../../../src/seal/sealing.js";

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly time: number;
  readonly contents: Buffer;
}

/** Reads an archive as init/initramfs.c of the kernel does: names and contents begin at multiples of 4 bytes. */
function entriesOf(archive: Uint8Array): readonly Entry[] {
  const bytes = Buffer.from(archive);
  const entries: Entry[] = [];
  for (let at = 0; ; ) {
    expect(bytes.toString("latin1", at, at + 6)).toBe("070701");
    const field = (index: number) =>
      Number.parseInt(bytes.toString("latin1", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, uid, time, size, nameSize] = [1, 2, 5, 6, 11].map(field) as [number, number, number, number, number];
    const path = bytes.toString("utf8", at + 110, at + 110 + nameSize - 1);
    const start = (at + 110 + nameSize + 3) & ~3;
    if (path === "TRAILER!!!") return entries;
    entries.push({ path, mode, uid, time, contents: bytes.subarray(start, start + size) });
    at = (start + size + 3) & ~3;
  }
}

const LOADER = Buffer.from("the loader");
const IMAGE = Buffer.from("the image!!");

describe("an archive in the newc format", () => {
  it("has its entries in order, with root as owner and no times", () => {
    const archive = cpio([
      { path: "folder", permissions: 0o700, contents: null },
      { path: "folder/file", permissions: 0o644, contents: Buffer.from("abc") },
      { path: "folder/empty", permissions: 0o400, contents: Buffer.alloc(0) },
    ]);
    expect(archive.length % 4).toBe(0);
    expect(entriesOf(archive)).toEqual([
      { path: "folder", mode: 0o040700, uid: 0, time: 0, contents: Buffer.alloc(0) },
      { path: "folder/file", mode: 0o100644, uid: 0, time: 0, contents: Buffer.from("abc") },
      { path: "folder/empty", mode: 0o100400, uid: 0, time: 0, contents: Buffer.alloc(0) },
    ]);
  });

  it.each(Array.from({ length: 9 }, (_, length) => length))("pads names and contents of %i bytes", (length) => {
    const [path, contents] = [`f${"x".repeat(length)}`, Buffer.alloc(length, 7)];
    const last = { path: "last", permissions: 0o644, contents: Buffer.from("last") };
    const found = entriesOf(cpio([{ path, permissions: 0o644, contents }, last]));
    expect(found.map((entry) => [entry.path, entry.contents])).toEqual([
      [path, contents],
      ["last", last.contents],
    ]);
  });
});

describe("the fragment of an initramfs", () => {
  it("has the loader as a program and the image, for root alone", () => {
    const entries = entriesOf(gunzipSync(fragment(LOADER, IMAGE)));
    expect(entries.map(({ path, mode }) => [path, mode])).toEqual([
      ["countersign", 0o040700],
      ["countersign/init", 0o100700],
      ["countersign/image", 0o100400],
    ]);
    expect(entries.slice(1).map(({ contents }) => contents)).toEqual([LOADER, IMAGE]);
  });

  it("ends at a multiple of 4 bytes, so that an archive without compression can follow", () => {
    expect(fragment(LOADER, IMAGE).length % 4).toBe(0);
  });

  it("is the same for the same guard and list", { tags: ["deep"] }, () => {
    const options = { mode: "enforce", list: null } as const;
    expect(Buffer.from(sealFragment(options, "halt")).equals(sealFragment(options, "halt"))).toBe(true);
    expect(Buffer.from(sealFragment(options, "halt")).equals(sealFragment(options, "continue"))).toBe(false);
  });

  it("has at most 200 KB without a list", { tags: ["deep"] }, () => {
    expect(sealFragment({ mode: "enforce", list: null }, "halt").length).toBeLessThan(200_000);
  });
});
