import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replaceFiles } from "../../../scripts/replace-files.mjs";

describe("the files of a build", () => {
  let dist: string;
  beforeEach(() => {
    dist = mkdtempSync(join(tmpdir(), "countersign-dist-"));
  });
  afterEach(() => rmSync(dist, { recursive: true }));

  const write = (folder: string, files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  };
  const files = () =>
    Object.fromEntries(
      readdirSync(dist, { recursive: true, encoding: "utf8" })
        .filter((name) => statSync(join(dist, name)).isFile())
        .map((name) => [name, readFileSync(join(dist, name), "utf8")]),
    );
  const made = () => join(dist, ".new");
  const caches = {
    keeps: (name: string) => name.endsWith(".cache"),
    derived: (name: string, names: string[]) => names.filter((other) => other === `${name}.cache`),
  };

  it("replace those of the last one, and the folder in which they were made is gone", () => {
    write(dist, { "a.js": "old", "chunks/one.js": "old", "gone/b.js": "old" });
    write(made(), { "a.js": "new", "chunks/two.js": "new" });
    replaceFiles(made(), dist);
    expect(files()).toEqual({ "a.js": "new", "chunks/two.js": "new" });
    expect(existsSync(made())).toBe(false);
  });

  it("are the first in an empty folder", () => {
    write(made(), { "a.js": "new" });
    replaceFiles(made(), dist);
    expect(files()).toEqual({ "a.js": "new" });
  });

  it("keep what is derived from a file that stays the same, and no more", () => {
    write(dist, { "a.js": "same", "a.js.cache": "1", "b.js": "old", "b.js.cache": "2", "c.js": "old" });
    write(made(), { "a.js": "same", "b.js": "new" });
    replaceFiles(made(), dist, caches);
    expect(files()).toEqual({ "a.js": "same", "a.js.cache": "1", "b.js": "new" });
  });

  it("come into their place by renaming, so that whoever has one open reads it to its end", () => {
    write(dist, { "a.js": "old" });
    write(made(), { "a.js": "new" });
    const inode = statSync(join(made(), "a.js")).ino;
    replaceFiles(made(), dist);
    expect(statSync(join(dist, "a.js")).ino).toBe(inode);
  });
});
