import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { wholeFile } from "../../../../src/loaded/reads/whole-file.js";

const folder = mkdtempSync(join(tmpdir(), "whole-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([0, 1, 65_535, 65_536, 65_537, 131_072, 300_000])("reads a file of %i bytes", (size) => {
  const file = join(folder, String(size));
  const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index % 251));
  writeFileSync(file, bytes);
  expect(wholeFile(file).equals(bytes)).toBe(true);
});

it("reads a file that says no size, and keeps what it read before", () => {
  const first = wholeFile("/proc/self/cmdline");
  const text = first.toString("latin1");
  expect(text).toBe(readFileSync("/proc/self/cmdline", "latin1"));
  wholeFile("/proc/self/status");
  expect(first.toString("latin1")).toBe(text);
});

it("throws as node:fs does", () => {
  expect(() => wholeFile(join(folder, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => wholeFile(folder)).toThrow(expect.objectContaining({ code: "EISDIR" }));
});
