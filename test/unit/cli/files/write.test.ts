import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWhole } from "../../../../src/cli/files/write.js";

const BYTES = Buffer.from("new");

describe("writing a file at once", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  const errorOf = (path: string) => {
    try {
      writeWhole(path, BYTES);
    } catch (error) {
      return error as Record<string, unknown>;
    }
    throw new Error(`${path} was written`);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    writeFileSync(at("file"), "old");
    mkdirSync(at("folder"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("replaces what is there, makes folders, and sets a mode", () => {
    writeWhole(at("file"), BYTES);
    writeWhole(at("a/b/c"), BYTES, 0o600);
    expect([readFileSync(at("file"), "utf8"), readFileSync(at("a/b/c"), "utf8")]).toEqual(["new", "new"]);
    expect(statSync(at("a/b/c")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(["a", "file", "folder"]);
  });

  it.each([
    ["folder", { code: "FILE_UNREADABLE", message: "is not a regular file" }],
    ["file/in", { code: "FILE_UNREADABLE", message: "cannot be written: ENOTDIR" }],
    ["new/", { code: "FILE_UNREADABLE" }],
    ["x".repeat(250), { code: "FILE_UNREADABLE", message: "cannot be written: ENAMETOOLONG" }],
  ])("leaves nothing behind at %s", (name, error) => {
    expect(errorOf(`${folder}/${name}`)).toMatchObject({ ...error, place: `${folder}/${name}` });
    expect(readdirSync(folder).filter((one) => one.endsWith(".new"))).toEqual([]);
    expect(readFileSync(at("file"), "utf8")).toBe("old");
  });

  it("rejects an empty path", () => {
    expect(errorOf("")).toMatchObject({ code: "USAGE", remedy: "name a file" });
    expect(readdirSync(".").filter((one) => one.endsWith(".new"))).toEqual([]);
  });
});
