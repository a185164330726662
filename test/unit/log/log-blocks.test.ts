import { closeSync, fstatSync, mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MAX_LINE } from "../../../src/log/follow.js";
import { LogBlocks } from "../../../src/log/log-blocks.js";
import type { LogFile } from "../../../src/log/log-files.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-blocks-"));

function opened(bytes: Uint8Array): LogFile {
  const path = join(folder, "log");
  writeFileSync(path, bytes);
  return { path, fd: openSync(path, "r") };
}

/** The lines of each of two passes. */
async function passes(bytes: Uint8Array): Promise<readonly string[][]> {
  const { path, fd } = opened(bytes);
  const blocks = new LogBlocks({ path, fd });
  const both: string[][] = [];
  for (let pass = 0; pass < 2; pass++) {
    const lines: string[] = [];
    for await (const block of blocks.blocks()) {
      expect(block.length).toBeGreaterThan(0);
      lines.push(...block.toString().replace(/\n$/, "").split("\n"));
    }
    both.push(lines);
  }
  closeSync(fd);
  return both;
}

const long = (length: number) => "x".repeat(length);
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  short: ["a", "b"],
  "long lines": [long(700_000), "b", long(3_000_000), "c", long(1_048_575), long(1_048_576), "d"],
  "many lines": Array.from({ length: 300_000 }, (_, index) => `line ${index}`),
};

describe.each([
  ["a file", (text: string) => Buffer.from(text)],
  ["a compressed file", (text: string) => gzipSync(text, { level: 1 })],
])("blocks of %s", (_, pack) => {
  it.each(Object.entries(TEXTS))(
    "have whole lines, as often as they are asked for: %s",
    { tags: ["deep"] },
    async (_name, lines) => {
      const text = lines.join("\n");
      expect(await passes(pack(`${text}\n`))).toEqual([lines, lines]);
      expect(await passes(pack(text))).toEqual([lines, lines]);
    },
  );

  it("leave out a line that is too long, and nothing else", { tags: ["deep"] }, async () => {
    const text = ["a", long(MAX_LINE + 2_000_000), "b", "c"].join("\n");
    expect(await passes(pack(text))).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  it("leave the file open if they are not read to their end", { tags: ["deep"] }, async () => {
    const { path, fd } = opened(pack(`${TEXTS["many lines"]!.join("\n")}\n`));
    const blocks = new LogBlocks({ path, fd });
    for await (const _block of blocks.blocks()) break;
    // a stream of `node:fs` that is destroyed closes its file later
    await setTimeout(100);
    expect(fstatSync(fd).isFile()).toBe(true);
    closeSync(fd);
  });

  it("have a line of the greatest length, and leave out one that is longer by a byte", async () => {
    const text = ["a", long(MAX_LINE), "b"].join("\n");
    for (const [given, kept] of [
      [text, ["a", long(MAX_LINE), "b"]],
      [text.replace("xx", "xxx"), ["a", "b"]],
    ] as const) {
      const { path, fd } = opened(pack(given));
      const found: string[] = [];
      for await (const block of new LogBlocks({ path, fd }).blocks())
        found.push(...block.toString().replace(/\n$/, "").split("\n"));
      closeSync(fd);
      expect(found.map(({ length }) => length)).toEqual(kept.map(({ length }) => length));
    }
  });

  it("are none for an empty log", async () => {
    expect(await passes(pack(""))).toEqual([[], []]);
  });
});
