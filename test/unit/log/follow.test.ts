import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follow, MAX_LINE } from "../../../src/log/follow.js";
import { openFiles } from "../../support/open-fds.js";

/** Number of open files in the folder. */
const openIn = (folder: string) => openFiles().filter((file) => file.startsWith(folder)).length;

/** The texts that a call returns. */
const texts = (follow: Follow) => follow.read().map(({ text }) => text);

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
    expect(texts(follow)).toEqual([]);
    appendFileSync(path, "one\ntw");
    expect(texts(follow)).toEqual(["one"]);
    appendFileSync(path, "o\n");
    expect(texts(follow)).toEqual(["two"]);
    follow.close();
  });

  it("gives the lines that are there to a function of their own, without an incomplete one", () => {
    writeFileSync(path, "one\ntwo\nthr");
    const earlier: string[] = [];
    const follow = new Follow(path, false, (text) => earlier.push(text));
    expect([texts(follow), earlier]).toEqual([[], ["one", "two"]]);
    appendFileSync(path, "\nfour\n");
    expect(follow.read()).toEqual([
      { line: 3, text: "" },
      { line: 4, text: "four" },
    ]);
    expect(earlier).toEqual(["one", "two"]);
    follow.close();
  });

  it("loses none when the file is rotated away, nor when it comes to be", () => {
    const follow = new Follow(path, false);
    expect(texts(follow)).toEqual([]);
    writeFileSync(path, "first\n");
    expect(texts(follow)).toEqual(["first"]);
    appendFileSync(path, "last of the old\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "first of the new\n");
    expect(texts(follow)).toEqual(["last of the old", "first of the new"]);
    follow.close();
  });

  it("gives what another process writes to a file after it was renamed, as long as the file has a name", () => {
    writeFileSync(path, "one\n");
    const follow = new Follow(path, true);
    expect(texts(follow)).toEqual(["one"]);
    const late = openSync(path, "a");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "new\n");
    expect(texts(follow)).toEqual(["new"]);
    writeSync(late, "late, in pa");
    appendFileSync(path, "newer\n");
    expect(texts(follow)).toEqual(["newer"]);
    renameSync(`${path}.1`, `${path}.2`);
    writeSync(late, "rts\n");
    expect(follow.read()).toEqual([{ line: 2, text: "late, in parts" }]);
    writeSync(late, "last\n");
    rmSync(`${path}.2`);
    expect(texts(follow)).toEqual(["last"]);
    writeSync(late, "for nobody\n");
    expect(texts(follow)).toEqual([]);
    closeSync(late);
    follow.close();
  });

  it("keeps a few renamed files open, however often the file is rotated", () => {
    writeFileSync(path, "");
    const follow = new Follow(path, true);
    for (let number = 0; number < 30; number += 1) {
      follow.read();
      renameSync(path, `${path}.${1000 - number}`);
      writeFileSync(path, "");
    }
    follow.read();
    expect(openIn(folder)).toBe(10);
    follow.close();
    expect(openIn(folder)).toBe(0);
  });

  it("begins anew where the file was cut off, and keeps characters whole", () => {
    writeFileSync(path, "a long line that is there\n");
    const follow = new Follow(path, true);
    follow.read();
    writeFileSync(path, "ü\n");
    expect(texts(follow)).toEqual(["ü"]);
    follow.close();
  });

  it("reads the files that were rotated since, in their order", () => {
    writeFileSync(path, "one\n");
    const follow = new Follow(path, true);
    expect(texts(follow)).toEqual(["one"]);
    for (const [index, line] of ["two", "three", "four"].entries()) {
      appendFileSync(path, `end ${index}\n`);
      for (let number = index; number >= 1; number--) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
      renameSync(path, `${path}.1`);
      writeFileSync(path, `${line}\n`);
    }
    expect(texts(follow)).toEqual(["end 0", "two", "end 1", "three", "end 2", "four"]);
    expect(texts(follow)).toEqual([]);
    follow.close();
  });

  it("numbers lines as they are in their file", () => {
    writeFileSync(path, "1\n2\n");
    const follow = new Follow(path, false);
    follow.read();
    appendFileSync(path, "3\n");
    expect(follow.read()).toEqual([{ line: 3, text: "3" }]);
    renameSync(path, `${path}.1`);
    writeFileSync(path, "first\n");
    expect(follow.read()).toEqual([{ line: 1, text: "first" }]);
    follow.close();
  });

  it("drops a line that is too long, and goes on with the next", () => {
    writeFileSync(path, `${"x".repeat(MAX_LINE + 1)}\nnext\n`);
    const follow = new Follow(path, true);
    expect(follow.read()).toEqual([{ line: 2, text: "next" }]);
    follow.close();
  });
});
