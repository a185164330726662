import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProgramFolder } from "../../../../src/workbench/replay/program-folder.js";

describe("a folder of instructions", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  const sha256 = hash("sha256", "program");
  const programs = new ProgramFolder(folder);

  it("has files by their SHA-256, unless they were changed", () => {
    expect(programs.find(sha256)).toBeNull();
    writeFileSync(join(folder, sha256), "program");
    expect(Buffer.from(programs.find(sha256)!).toString()).toBe("program");
    writeFileSync(join(folder, sha256), "another");
    expect(programs.find(sha256)).toBeNull();
  });

  it("has nothing outside of it, and no folders", () => {
    const other = hash("sha256", "folder");
    mkdirSync(join(folder, other));
    for (const name of ["", ".", "../etc/passwd", `../${folder}/${sha256}`, `${sha256}/`, sha256.toUpperCase(), other])
      expect(programs.find(name)).toBeNull();
  });

  it("that is not there has nothing", () => {
    expect(new ProgramFolder(join(folder, "none")).find(sha256)).toBeNull();
  });
});
