import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CacheFolder, type CacheKey } from "../../src/cache-folder.js";
import { damaged, numbers, seedOf } from "../support/damage.js";

const windows = process.geteuid === undefined;
const [ONE, OTHER]: readonly CacheKey[] = [
  { kind: "programs", of: ["one"] },
  { kind: "programs", of: ["other"] },
] as const;

describe.skipIf(windows)("a file in the cache folder that this version did not write as it is", () => {
  let folder: string;
  let cache: string;
  let file: string;
  const keep = (key: CacheKey, content: unknown) => {
    const known = CacheFolder.open(cache, "code")!;
    known.add(key, content);
    known.save();
  };
  const read = (key = ONE!) => CacheFolder.open(cache, "code")!.read(key);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    cache = join(folder, "countersign");
    keep(ONE!, { digest: "0123", programs: [1, 2] });
    file = join(cache, readdirSync(cache)[0]!);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is ignored whichever of its bytes is another one", { tags: ["deep"] }, () => {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; at++)
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= bit;
        writeFileSync(file, changed);
        expect(read()).toBeNull();
      }
  });

  it("is ignored wherever it is cut off, or goes on", () => {
    const bytes = readFileSync(file);
    for (let size = 0; size < bytes.length; size++) {
      writeFileSync(file, bytes.subarray(0, size));
      expect(read()).toBeNull();
    }
    writeFileSync(file, Buffer.concat([bytes, Buffer.from("\n")]));
    expect(read()).toBeNull();
  });

  const seed = seedOf();
  it(`is ignored however it is damaged (SEED=${seed})`, { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const bytes = readFileSync(file);
    for (let round = 0; round < 500; round++) {
      const changed = damaged(bytes, next);
      if (changed.equals(bytes)) continue;
      writeFileSync(file, changed);
      expect(read()).toBeNull();
    }
  });

  /** What else can be in its place. */
  const PLACED: Readonly<Record<string, () => void>> = {
    "that others can write": () => chmodSync(file, 0o606),
    "that its group can write": () => chmodSync(file, 0o660),
    "that is a link": () => {
      renameSync(file, join(folder, "elsewhere"));
      symlinkSync(join(folder, "elsewhere"), file);
    },
    "that is a link to itself": () => {
      rmSync(file);
      symlinkSync(file, file);
    },
    "that is a folder": () => {
      rmSync(file);
      mkdirSync(file);
    },
    "that is empty": () => truncateSync(file, 0),
    "of more than 64 MiB": () => truncateSync(file, 64 * 2 ** 20 + 1),
    "that is gone": () => rmSync(file),
    "that is the entry of another key": () => {
      keep(OTHER!, "other");
      const other = readdirSync(cache).find((name) => !file.endsWith(name))!;
      rmSync(file);
      linkSync(join(cache, other), file);
    },
  };

  it.each(Object.keys(PLACED))("is ignored: one %s", (what) => {
    PLACED[what]!();
    expect(read()).toBeNull();
  });

  it.each(Object.keys(PLACED).filter((what) => what !== "that is a folder"))("is replaced: one %s", (what) => {
    PLACED[what]!();
    keep(ONE!, "again");
    expect(read()).toBe("again");
    if (what === "that is the entry of another key") expect(read(OTHER!)).toBe("other");
  });

  it.skipIf(process.geteuid?.() !== 0)("is ignored where it is another user's (root)", () => {
    chownSync(file, 65534, 65534);
    expect(read()).toBeNull();
    keep(ONE!, "again");
    expect(read()).toBe("again");
  });

  it("keeps no other entry from being written if it is a folder", () => {
    PLACED["that is a folder"]!();
    keep(ONE!, "again");
    keep(OTHER!, "other");
    expect([read(), read(OTHER!)]).toEqual([null, "other"]);
  });
});
