import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeList } from "../../../../../src/seal/list.js";
import { runCommand } from "../../../../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "seal-initramfs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const ZERO = "00".repeat(32);
const ORIGIN = { generation: 7n, kernelBtf: ZERO, configuration: ZERO, release: "6.12" };

describe("countersign seal initramfs", () => {
  it("writes a fragment that only root can read, and says what is in it", async () => {
    writeFileSync(at("list"), encodeList([], ORIGIN));
    const { code, out, err } = await runCommand("seal", "initramfs", "--list", at("list"), "--out", at("seal.img"));
    expect([code, err]).toEqual([0, ""]);
    const { size, mode } = statSync(at("seal.img"));
    expect(out).toBe(
      `${at("seal.img")}: ${size} bytes, list with 0 entries, generation 7; boot it with rdinit=/countersign/init\n`,
    );
    expect(mode & 0o777).toBe(0o600);
    expect(readFileSync(at("seal.img")).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });

  it("writes nothing for a list that is cut short", async () => {
    writeFileSync(at("short"), encodeList([], ORIGIN).subarray(0, -1));
    const { code, err } = await runCommand("seal", "initramfs", "--list", at("short"), "--out", at("none.img"));
    expect(code).toBe(2);
    expect(err).toContain("[SEAL_LIST_MALFORMED]");
    expect(err).toContain(at("short"));
    expect(statSync(at("none.img"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("refuses an unknown behaviour for a failure", async () => {
    const { code, err } = await runCommand("seal", "initramfs", "--on-failure", "panic", "--out", at("none.img"));
    expect(code).toBe(2);
    expect(err).toContain("halt, continue");
  });
});

describe("countersign seal start", () => {
  it("attaches nothing for a list that it cannot read", async () => {
    const { code, err } = await runCommand("seal", "start", "--list", at("missing"));
    expect([code, err]).toEqual([2, expect.stringContaining("[FILE_UNREADABLE]")]);
  });
});

describe("countersign seal test", () => {
  it("names a program that is missing", async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const { code, err } = await runCommand("seal", "test", "--kernel", at("vmlinuz"));
      expect([code, err]).toEqual([2, expect.stringMatching(/there is no program `busybox` \[SEAL_NO_GUEST\]/)]);
    } finally {
      process.env.PATH = path;
    }
  });
});
