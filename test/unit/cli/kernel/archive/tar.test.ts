import { describe, expect, it } from "vitest";
import { filesOfTar } from "../../../../../src/cli/kernel/archive/tar.js";
import { tarEntry, tarOf } from "../../../../support/kernel-files.js";

/** An archive in pieces of this size, and how many of them were read. */
function piecesOf(bytes: Uint8Array, size: number) {
  const count = { read: 0, ended: false };
  async function* pieces() {
    try {
      for (let at = 0; at < bytes.length; at += size) {
        count.read++;
        yield bytes.subarray(at, at + size);
      }
    } finally {
      count.ended = true;
    }
  }
  return { pieces: pieces(), count };
}

async function listed(bytes: Uint8Array, size = 1000): Promise<string[]> {
  const found: string[] = [];
  for await (const file of filesOfTar(piecesOf(bytes, size).pieces, "a.tar"))
    found.push(`${file.path} ${Buffer.from(await file.read(1 << 20)).toString()}`);
  return found;
}

const file = (path: string, text: string) => tarEntry(path, Buffer.from(text));
const LONG = `${"folder/".repeat(20)}file`;

describe("filesOfTar", () => {
  it.each([1, 7, 512, 100_000])("reads files from pieces of %i bytes", async (size) => {
    const archive = tarOf(file("./a", "first"), tarEntry("./d/", Buffer.alloc(0), "5"), file("b/c", "x".repeat(600)));
    expect(await listed(archive, size)).toEqual(["a first", `b/c ${"x".repeat(600)}`]);
  });

  it("reads long names of GNU and of pax", async () => {
    const record = `${LONG.length + 10} path=${LONG}\n`;
    const archive = tarOf(
      tarEntry("././@LongLink", Buffer.from(`${LONG}\0`), "L"),
      file("cut", "one"),
      tarEntry("PaxHeaders/x", Buffer.from(record), "x"),
      file("cut", "two"),
      file("short", "three"),
    );
    expect(await listed(archive)).toEqual([`${LONG} one`, `${LONG} two`, "short three"]);
  });

  it("skips files that are not read, and links whatever their size says", async () => {
    const link = tarEntry("link", Buffer.from("x".repeat(100)), "2").subarray(0, 512);
    const { pieces } = piecesOf(tarOf(file("a", "x".repeat(5000)), link, file("b", "y")), 512);
    const paths: string[] = [];
    for await (const { path, size } of filesOfTar(pieces, "a.tar")) paths.push(`${path} ${size}`);
    expect(paths).toEqual(["a 5000", "b 1"]);
  });

  it("ends its source where the loop stops, without reading the rest", async () => {
    const { pieces, count } = piecesOf(tarOf(file("a", "1"), file("b", "2".repeat(100_000))), 512);
    for await (const { path } of filesOfTar(pieces, "a.tar")) {
      expect(path).toBe("a");
      break;
    }
    expect(count).toEqual({ read: 1, ended: true });
  });

  it("reads its source to the end, whose checks are there", async () => {
    const { pieces, count } = piecesOf(tarOf(file("a", "1"), Buffer.alloc(10_000)), 512);
    for await (const _ of filesOfTar(pieces, "a.tar"));
    expect(count.read).toBe(24);
  });

  it("rejects a file above the limit of its reader", async () => {
    const { pieces } = piecesOf(tarOf(file("a", "12345")), 512);
    for await (const each of filesOfTar(pieces, "a.tar"))
      await expect(each.read(4)).rejects.toMatchObject({ code: "FILE_TOO_LARGE", place: "a.tar: a" });
  });
});
