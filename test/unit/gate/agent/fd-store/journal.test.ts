import { readFileSync, writeSync } from "node:fs";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Journal } from "../../../../../src/gate/agent/fd-store/journal.js";
import { close } from "../../../../../src/sys/pidfd.js";

const BLOCK = 8;
const MOST = 40;

describe("a journal", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  const created = (): Journal => {
    const journal = Journal.create("countersign-test", BLOCK, "first", MOST)!;
    onTestFinished(() => close(journal.fd));
    return journal;
  };
  const contents = ({ fd }: Journal) => readFileSync(`/proc/self/fd/${fd}`, "utf8");
  const linesIn = ({ fd }: Journal, mostFirst = 100, most = MOST) => {
    const lines: string[] = [];
    const opened = Journal.open(fd, BLOCK, mostFirst, most, (line) => {
      if (line !== "stop") lines.push(line);
      return line !== "stop";
    });
    return opened === null ? null : { ...opened, lines };
  };

  it("has its block, its first line and the appended lines when it is opened again", () => {
    const journal = created();
    expect(journal.add(["one", "två"])).toBe(true);
    expect(journal.add([])).toBe(true);
    writeSync(journal.fd, Buffer.from("12345678"), 0, BLOCK, 0);
    const opened = linesIn(journal)!;
    expect(opened.lines).toEqual(["one", "två"]);
    expect(opened.first).toBe("first");
    expect(Buffer.from(opened.bytes).toString()).toBe("12345678");
    expect(opened.journal.add(["three"])).toBe(true);
    expect(linesIn(journal)!.lines).toEqual(["one", "två", "three"]);
  });

  it("loses only the last line if its writer was killed meanwhile", () => {
    const journal = created();
    journal.add(["one"]);
    writeSync(journal.fd, "incompl", contents(journal).length);
    const { lines, journal: next } = linesIn(journal)!;
    expect(lines).toEqual(["one"]);
    next.add(["two"]);
    expect(contents(journal)).toBe(`${"\0".repeat(BLOCK)}first\none\ntwo\n`);
  });

  it("is overwritten from the first line on that its reader does not know", () => {
    const journal = created();
    journal.add(["one", "stop", "two"]);
    const { lines, journal: next } = linesIn(journal)!;
    expect(lines).toEqual(["one"]);
    next.add(["three"]);
    expect(linesIn(journal)!.lines).toEqual(["one", "three"]);
  });

  it("takes all of some lines or none of them, as far as it has room", () => {
    const journal = created();
    expect(journal.add(["x".repeat(MOST - 1)])).toBe(true);
    expect(journal.add([""])).toBe(false);
    expect(journal.replace(["y".repeat(MOST)])).toBe(false);
    expect(linesIn(journal)!.lines).toEqual([]);
    expect(journal.replace(["one", "two"])).toBe(true);
    expect(linesIn(journal)!.lines).toEqual(["one", "two"]);
  });

  it("cannot be added to after its file was closed", () => {
    const journal = Journal.create("countersign-test", 0, "first", MOST)!;
    close(journal.fd);
    expect(journal.add(["one"])).toBe(false);
  });

  it("is none without a first line, and none if it is longer than it can be", () => {
    const journal = created();
    journal.add(["one"]);
    expect(linesIn(journal, 5, 0)).toBeNull();
    expect(Journal.open(-1, BLOCK, 100, MOST, () => true)).toBeNull();
    const blank = Journal.create("countersign-test", 0, "", MOST)!;
    expect(Journal.open(blank.fd, BLOCK, 100, MOST, () => true)).toBeNull();
    close(blank.fd);
  });
});
