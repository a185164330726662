import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follow } from "../../../src/log/follow.js";

describe("following a log", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "follow-"));
    path = join(folder, "log");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives the lines that are added, each once it is whole", () => {
    writeFileSync(path, "old\n");
    const follow = new Follow(path, false);
    expect(follow.read()).toEqual([]);
    appendFileSync(path, "one\ntw");
    expect(follow.read()).toEqual(["one"]);
    appendFileSync(path, "o\n");
    expect(follow.read()).toEqual(["two"]);
    follow.close();
  });

  it("loses none when the file is rotated away, nor when it comes to be", () => {
    const follow = new Follow(path, false);
    expect(follow.read()).toEqual([]);
    writeFileSync(path, "first\n");
    expect(follow.read()).toEqual(["first"]);
    appendFileSync(path, "last of the old\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "first of the new\n");
    expect(follow.read()).toEqual(["last of the old", "first of the new"]);
    follow.close();
  });

  it("begins anew where the file was cut off, and keeps characters whole", () => {
    writeFileSync(path, "a long line that is there\n");
    const follow = new Follow(path, true);
    follow.read();
    writeFileSync(path, "ü\n");
    expect(follow.read()).toEqual(["ü"]);
    follow.close();
  });
});
