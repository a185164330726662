import { existsSync, mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Claim } from "../../../src/log/claim.js";

describe("a claim", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-claim-"));
    path = join(folder, "claim");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const age = (seconds: number) => {
    const then = Date.now() / 1000 - seconds;
    utimesSync(path, then, then);
  };

  it("has one holder at a time", () => {
    const claim = Claim.take(path);
    expect(claim?.isHeld).toBe(true);
    expect(Claim.take(path)).toBeNull();
    claim?.release();
    expect(existsSync(path)).toBe(false);
    expect(Claim.take(path)?.isHeld).toBe(true);
  });

  it.each([-60, 60])("of %i s ago is taken by the next, and the first one no longer has it", (seconds) => {
    const first = Claim.take(path)!;
    age(seconds);
    const next = Claim.take(path)!;
    expect([first.isHeld, next.isHeld]).toEqual([false, true]);
    first.release();
    expect([existsSync(path), next.isHeld]).toEqual([true, true]);
    next.release();
    expect(existsSync(path)).toBe(false);
  });

  it("is lost if its file is removed, and its release removes no other file", () => {
    const claim = Claim.take(path)!;
    unlinkSync(path);
    expect(claim.isHeld).toBe(false);
    writeFileSync(path, "");
    claim.release();
    expect(existsSync(path)).toBe(true);
  });

  it("throws what open(2) says where no file can be created", () => {
    expect(() => Claim.take(join(folder, "missing", "claim"))).toThrow(/ENOENT/);
  });
});
