import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CacheFolder, type CacheKey } from "../../src/cache-folder.js";

const windows = process.geteuid === undefined;
const KEY: CacheKey = { kind: "programs", of: ["object", "loader"] };
const NOBODY = 65534;

describe.skipIf(windows)("a folder of cached results (Windows has no owner of a file that node knows)", () => {
  let folder: string;
  let cache: string;
  const open = (code = "code") => CacheFolder.open(cache, code);
  const keep = (content: unknown, key = KEY, code = "code") => {
    const known = open(code)!;
    known.add(key, content);
    known.save();
  };
  const names = () => readdirSync(cache);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    cache = join(folder, "cache", "countersign");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("returns what was added, to any later user of it", () => {
    expect(open()!.read(KEY)).toBeNull();
    keep({ programs: ["ä", 1, null] });
    expect(open()!.read(KEY)).toEqual({ programs: ["ä", 1, null] });
  });

  it("writes nothing until it is saved", () => {
    const known = open()!;
    known.add(KEY, 1);
    expect(names()).toEqual([]);
    known.save();
    expect(names()).toHaveLength(1);
  });

  it.each<[string, CacheKey]>([
    ["another kind", { ...KEY, kind: "modules" }],
    ["other strings", { ...KEY, of: ["object", "other"] }],
    ["more strings", { ...KEY, of: ["object", "loader", ""] }],
    ["the same strings cut elsewhere", { ...KEY, of: ["objectloader", ""] }],
    ["the same strings in another order", { ...KEY, of: ["loader", "object"] }],
  ])("has nothing for a key of %s", (_, key) => {
    keep(1);
    expect(open()!.read(key)).toBeNull();
    keep(2, key);
    expect([open()!.read(KEY), open()!.read(key)]).toEqual([1, 2]);
  });

  it("has nothing for other code, whose entry replaces that of the code before", () => {
    keep(1, KEY, "old");
    expect(open("new")!.read(KEY)).toBeNull();
    keep(2, KEY, "new");
    expect([open("old")!.read(KEY), open("new")!.read(KEY), names().length]).toEqual([null, 2, 1]);
  });

  it("is not used by code that is not bundled, since nothing says which it is", () => {
    expect(CacheFolder.open(cache, null)).toBeNull();
    expect(existsSync(cache)).toBe(false);
  });

  it("and its files can be read and written by nobody else, and nothing else is left there", () => {
    keep(1);
    expect(names()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.programs$/)]);
    expect([statSync(cache).mode & 0o777, statSync(join(cache, names()[0]!)).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  /** Folders in which nothing is read or written. */
  const UNFIT: Readonly<Record<string, () => void>> = {
    "others can write it": () => chmodSync(cache, 0o707),
    "its group can write it": () => chmodSync(cache, 0o770),
    "others can write the folder above it": () => chmodSync(join(folder, "cache"), 0o777),
    "the group can write the folder two above it": () => chmodSync(folder, 0o770),
    "it is a link": () => {
      renameSync(cache, join(folder, "elsewhere"));
      symlinkSync(join(folder, "elsewhere"), cache);
    },
    "the folder above it is a link into one that others can write": () => {
      mkdirSync(join(folder, "open"));
      chmodSync(join(folder, "open"), 0o777);
      renameSync(join(folder, "cache"), join(folder, "open", "cache"));
      symlinkSync(join(folder, "open", "cache"), join(folder, "cache"));
    },
    "a file is there instead": () => {
      rmSync(cache, { recursive: true });
      writeFileSync(cache, "");
    },
  };

  it.each(Object.keys(UNFIT))("is not used where %s", (what) => {
    keep(1);
    UNFIT[what]!();
    expect(open()).toBeNull();
  });

  it.skipIf(process.geteuid?.() !== 0)("is not used where it, or a folder above it, is another user's (root)", () => {
    keep(1);
    for (const path of [cache, join(folder, "cache"), folder]) {
      chownSync(path, NOBODY, NOBODY);
      expect(open()).toBeNull();
      chownSync(path, 0, 0);
      expect(open()).not.toBeNull();
    }
  });

  it("is used below a folder that everybody can write, if it is sticky", () => {
    keep(1);
    chmodSync(folder, 0o1777);
    expect(open()!.read(KEY)).toBe(1);
  });

  it("is used through a link to a folder that is private itself", () => {
    keep(1);
    renameSync(join(folder, "cache"), join(folder, "moved"));
    symlinkSync(join(folder, "moved"), join(folder, "cache"));
    expect(open()!.read(KEY)).toBe(1);
  });

  it.each([
    ["in a file system that makes no folders", () => "/proc/none/countersign"],
    ["in a folder that is two levels from being there", () => join(folder, "no", "such", "countersign")],
  ])("is not made %s", (_, place) => {
    expect(CacheFolder.open(place(), "code")).toBeNull();
  });

  it("that cannot be written only costs time", () => {
    const known = open()!;
    rmSync(cache, { recursive: true });
    known.add(KEY, 1);
    known.save();
    expect(existsSync(cache)).toBe(false);
  });

  it("has entries of processes that write at the same time, each whole", () => {
    const all = Array.from({ length: 8 }, () => open()!);
    all.forEach((known, index) => {
      known.add(KEY, index);
      known.add({ ...KEY, of: [String(index)] }, index);
    });
    for (const known of all) known.save();
    expect(open()!.read(KEY)).toBe(7);
    expect(all.map((_, index) => open()!.read({ ...KEY, of: [String(index)] }))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("keeps the newest 4,096 files", { tags: ["deep"] }, () => {
    keep("oldest");
    for (const name of names()) utimesSync(join(cache, name), 1, 1);
    for (let number = 0; number < 4095; number++) writeFileSync(join(cache, `${number}`), "");
    expect(names()).toHaveLength(4096);
    keep("newest", { ...KEY, of: [] });
    expect([names().length, open()!.read(KEY), open()!.read({ ...KEY, of: [] })]).toEqual([4096, null, "newest"]);
  });

  it("keeps the newest 256 MiB", () => {
    for (let number = 0; number < 8; number++) {
      keep(number, { ...KEY, of: [String(number)] });
      const file = names()
        .map((name) => join(cache, name))
        .find((path) => statSync(path).size < 2 ** 20)!;
      truncateSync(file, 40 * 2 ** 20);
      utimesSync(file, number, number);
      renameSync(file, join(cache, `${number}`));
    }
    keep("newest");
    expect(names().sort()).toEqual([expect.stringMatching(/\.programs$/), "2", "3", "4", "5", "6", "7"]);
  });
});
