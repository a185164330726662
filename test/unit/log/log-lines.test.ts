import { closeSync, mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MAX_LINE } from "../../../src/log/follow.js";
import { linesOf } from "../../../src/log/log-lines.js";

const path = join(mkdtempSync(join(tmpdir(), "countersign-lines-")), "log");

/** The number of each line and its length; null for one that is too long. */
async function lengths(bytes: Uint8Array): Promise<readonly (readonly [number, number | null])[]> {
  writeFileSync(path, bytes);
  const fd = openSync(path, "r");
  const found: (readonly [number, number | null])[] = [];
  for await (const { first, lines } of linesOf(fd))
    found.push(...lines.map((line, index) => [first + index, line?.length ?? null] as const));
  closeSync(fd);
  return found;
}

describe.each([
  ["a file", (text: string) => Buffer.from(text)],
  ["a compressed file", (text: string) => gzipSync(text, { level: 1 })],
])("the lines of %s", (_, pack) => {
  it("are numbered from 1, and the last one needs no line feed", async () => {
    expect(await lengths(pack(""))).toEqual([]);
    for (const text of ["a\n\nbb\n", "a\n\nbb"])
      expect(await lengths(pack(text))).toEqual([
        [1, 1],
        [2, 0],
        [3, 2],
      ]);
  });

  it.each([
    [MAX_LINE, MAX_LINE],
    [MAX_LINE + 1, null],
  ])("with one of %i bytes have it as %s", async (length, kept) => {
    for (const end of ["", "\n", "\nb\n"]) {
      const rest = end === "\nb\n" ? [[3, 1]] : [];
      expect(await lengths(pack(`a\n${"x".repeat(length)}${end}`))).toEqual([[1, 1], [2, kept], ...rest]);
    }
  });
});
