import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFull } from "../../src/read-full.js";

describe("readFull", () => {
  let folder: string;
  let fd: number;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-read-"));
    writeFileSync(join(folder, "file"), "0123456789");
    fd = openSync(join(folder, "file"), "r");
  });
  afterAll(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const read = (length: number, position: number) => readFull(fd, Buffer.alloc(length), position).toString();

  it.each([
    ["a part", 3, 4, "456"],
    ["all", 10, 0, "0123456789"],
    ["no more than there is", 20, 7, "789"],
    ["nothing after the end", 5, 10, ""],
    ["nothing into no memory", 0, 2, ""],
  ])("reads %s", (_, length, position, expected) => {
    expect(read(length, position)).toBe(expected);
  });

  // read(2) of these files returns a page or a line at most
  it.skipIf(process.platform !== "linux")("goes on after a short read", () => {
    const status = openSync("/proc/self/maps", "r");
    try {
      expect(readFull(status, Buffer.alloc(16_384), 0).length).toBeGreaterThan(4096);
    } finally {
      closeSync(status);
    }
  });

  it("throws what read(2) throws", () => {
    const shut = openSync(folder, "r");
    try {
      expect(() => readFull(shut, Buffer.alloc(1), 0)).toThrow("EISDIR");
    } finally {
      closeSync(shut);
    }
  });
});
