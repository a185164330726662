import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { comparisonText } from "../../src/cli/output/comparison.js";
import { scanLines } from "../../src/cli/output/scan-lines.js";
import { scanText } from "../../src/cli/output/scan-text.js";
import { CountersignError } from "../../src/error.js";
import { compareScans } from "../../src/loaded/compare/compare.js";
import type { ExaminedScan } from "../../src/loaded/scan.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { archiveOf, examinedAnswers, examinedIn, savedAnswers, tarOf } from "../support/scans.js";

const seed = seedOf();
console.log(`seed of test/hostile/scan-archive.test.ts: ${seed}`);

/** What comes of an archive: its scan, or the message of SCAN_ARCHIVE_INVALID. Any other error fails the test. */
async function opened(bytes: Uint8Array): Promise<ExaminedScan | string> {
  try {
    return await examinedIn(bytes);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    expect([error.code, error.remedy, error.place]).toEqual([
      "SCAN_ARCHIVE_INVALID",
      expect.any(String),
      expect.any(String),
    ]);
    return error.message;
  }
}

async function rejected(bytes: Uint8Array): Promise<string> {
  const found = await opened(bytes);
  return typeof found === "string" ? found : "was read";
}

const textOf = ({ scan, ...found }: ExaminedScan) => scanText(scan, found, null);

/** Prints a scan in all ways, and compares it with another. */
function used(found: ExaminedScan, { scan: before }: ExaminedScan): void {
  const { scan: after, ...rest } = found;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(textOf(found)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  for (const line of scanLines(after, rest, null)) JSON.stringify(line);
  const comparison = compareScans(before, after);
  comparisonText({ before, after, comparison });
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const header = { kind: "archive", version: 1, countersign: "0.3.0", time: "2026-01-01T00:00:00.000Z" };
const time = header.time;

/** The line of a result as it has to be. */
function line(name: string, bytes: Uint8Array, other: object = {}): object {
  return { kind: "result", name, time, errno: null, size: bytes.byteLength, sha256: sha256(bytes), ...other };
}

/** The file of a manifest: texts are lines as they are. */
function manifest(...lines: readonly (object | string)[]): readonly [string, Uint8Array] {
  const texts = lines.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  return ["manifest.jsonl", Buffer.from(`${texts.join("\n")}\n`)];
}

const ids: readonly [string, Uint8Array] = ["@bpf/program/ids", Buffer.alloc(4)];

describe("an archive of a scan", () => {
  it("is rejected at each length but its own, if its manifest is not whole", async () => {
    const whole = await archiveOf(savedAnswers());
    const next = numbers(seed);
    const text = whole.indexOf("manifest.jsonl\0");
    const end = whole.byteLength - 1024;
    expect(text).toBeGreaterThan(0);
    const lengths = [
      0,
      1,
      511,
      512,
      513,
      text - 1,
      text,
      text + 512,
      ...Array.from({ length: 60 }, () => next(end - 512)),
    ];
    for (const length of lengths) expect([length, await rejected(whole.subarray(0, length))]).not.toContain("was read");
  });

  it("is rejected, or read, but never more, with any damage", { tags: ["deep"] }, async () => {
    const whole = await archiveOf(savedAnswers());
    const scan = await examinedIn(whole);
    const next = numbers(seed);
    for (let round = 0; round < 400; round += 1) {
      const found = await opened(damaged(whole, next));
      // what was damaged is no part of any result, such as the mode of a file
      if (typeof found !== "string") expect(textOf(found)).toBe(textOf(scan));
    }
  });

  it("is rejected if a byte of a result is another one", async () => {
    const whole = await archiveOf(savedAnswers());
    const place = whole.indexOf("limit.service");
    whole[place] = 0x4c;
    expect(await rejected(whole)).toBe("has another SHA-256 than in the manifest");
  });

  it("may have any results that the manifest fits, and is then rejected, or shown and compared", {
    tags: ["deep"],
  }, async () => {
    const scan = await examinedIn(await archiveOf(examinedAnswers()));
    const next = numbers(seed);
    for (let round = 0; round < 400; round += 1) {
      const answers = examinedAnswers();
      const names = [...answers.keys()];
      for (let count = next(4); count >= 0; count -= 1) {
        const name = names[next(names.length)]!;
        const raw = answers.get(name) ?? -1;
        const way = next(4);
        if (way === 0) answers.delete(name);
        else if (way === 1) answers.set(name, -1 - next(4095));
        else answers.set(name, typeof raw === "number" ? Buffer.of(next(256)) : damaged(raw, next));
      }
      const found = await opened(await archiveOf(answers));
      if (typeof found === "string") continue;
      used(found, scan);
      used(scan, found);
    }
  });

  it("says what it lacks, for each result that it can lack", { tags: ["deep"] }, async () => {
    // these are read only if a program needs types of modules, or if machine code is asked for
    const machineCode = ["jited", "symbols", "sizes", "jited-lines", "tags"].map((part) => `@bpf/program/37/${part}`);
    const unread = new Set(["@bpf/btf/ids", "@bpf/btf/1/name", ...machineCode]);
    for (const name of examinedAnswers().keys()) {
      if (unread.has(name)) continue;
      const answers = examinedAnswers();
      answers.delete(name);
      const found = await opened(await archiveOf(answers));
      if (typeof found === "string") expect([name, found]).toEqual(["@bpf/program/ids", "has no list of programs"]);
      else
        expect([name, found.scan.views.filter(({ complete }) => !complete).map((view) => view.name)]).toContainEqual(
          expect.arrayContaining(["archive"]),
        );
    }
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["zeros", Buffer.alloc(1 << 20)],
    ["a text", Buffer.from("program 37\n".repeat(1000))],
    ["JSON", Buffer.from(JSON.stringify(header))],
    ["an executable", Buffer.concat([Buffer.from("\u007fELF"), Buffer.alloc(4096, 3)])],
  ])("is not %s", async (_, bytes) => {
    expect(await rejected(bytes)).toMatch(/^(is no whole tar|has no manifest)/);
  });

  it("is not compressed", async () => {
    expect(await rejected(gzipSync(await archiveOf(savedAnswers())))).toMatch(/^is no whole tar/);
  });

  it.each([
    ["a name that leads out", [["../a", Buffer.of(1)]], "is no name of a result"],
    ["a name that leads out later", [["proc/../../a", Buffer.of(1)]], "is no name of a result"],
    ["an absolute name", [["/etc/passwd", Buffer.of(1)]], "is no name of a result"],
    ["an empty component", [["proc//a", Buffer.of(1)]], "is no name of a result"],
    ["a name with a line break", [["a\nb", Buffer.of(1)]], "is no name of a result"],
    ["a name with an escape", [["a\u001b[2J", Buffer.of(1)]], "is no name of a result"],
    ["a very long name", [["a".repeat(20_000), Buffer.of(1)]], "is no name of a result"],
    ["a very deep name", [["a/".repeat(2_000).concat("a"), Buffer.of(1)]], "is no name of a result"],
    ["a symbolic link", [["a", Buffer.alloc(0), { type: "symlink", linkname: "/etc/passwd" }]], "is no file"],
    ["a folder", [["proc", Buffer.alloc(0), { type: "directory" }]], /^is no (file|name of a result)$/],
    ["a device", [["a", Buffer.alloc(0), { type: "character-device" }]], "is no file"],
    ["a result twice", [ids, ids], "is twice in the archive"],
    ["a result without a line", [ids, manifest(header)], "is in the archive, and not in the manifest"],
    ["two manifests", [ids, manifest(header, line(...ids)), manifest(header)], "is twice in the archive"],
    ["no manifest", [ids], /^has no manifest/],
  ] as const)("has not %s", async (_, files, message) => {
    expect(await rejected(await tarOf(files as never))).toMatch(message);
  });

  it.each([
    ["no line", [], "is no object of JSON"],
    ["another kind of first line", [line(...ids)], "is no line of an archive"],
    ["a newer version", [{ ...header, version: 2 }, line(...ids)], "has version 2, and not 1"],
    ["another kind of line", [header, { ...line(...ids), kind: "folder" }], "is no line of a result"],
    ["a list", [header, "[]"], "is no line of a result"],
    ["a number", [header, "1"], "is no object of JSON"],
    ["null", [header, "null"], "is no object of JSON"],
    ["half a line", [header, '{"kind":"result"'], "is no object of JSON"],
    ["an empty line", [header, "", line(...ids)], "is no object of JSON"],
    ["no name", [header, { ...line(...ids), name: 1 }], "has no name"],
    ["a name that leads out", [header, { ...line(...ids), name: "../a" }], "is no name of a result"],
    ["the name __proto__ as its file", [header, { ...line(...ids), name: "__proto__" }], "is in the manifest, and not"],
    ["a negative size", [header, line(...ids, { size: -4 })], "has no size"],
    ["a huge size", [header, line(...ids, { size: 2 ** 52 })], "has 4 bytes, and not 4503599627370496"],
    ["a size that is no number", [header, line(...ids, { size: 1e300 })], "has no size"],
    ["another SHA-256", [header, line(...ids, { sha256: "0".repeat(64) })], "has another SHA-256"],
    ["no SHA-256", [header, line(...ids, { sha256: null })], "has no SHA-256"],
    ["a huge errno", [header, line(...ids, { errno: 5000, size: 0 })], "has no errno"],
    ["an errno of 0", [header, line(...ids, { errno: 0, size: 0 })], "has no errno"],
    ["an errno and bytes", [header, line(...ids, { errno: 1 })], "has an errno and a size"],
    ["an errno of a file", [header, line(...ids, { errno: 1, size: 0 })], "is in the archive, and the manifest has an"],
    ["a line twice", [header, line(...ids), line(...ids)], "is twice in the manifest"],
    ["a line without a result", [header, line(...ids), line("a", Buffer.of(1))], "is in the manifest, and not in"],
  ] as const)("has in its manifest not %s", async (_, lines, message) => {
    expect(await rejected(await tarOf([ids, manifest(...lines)]))).toContain(message);
  });

  it.each([
    ["77777777777", "is no whole tar"],
    ["-1", "is no whole tar"],
    ["zzzzzzzzzzz", "is no whole tar"],
    ["\u0080\u0000\u0000\u0000\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "is no whole tar"],
    ["\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0000", "is no whole tar"],
  ])("has no file of size %j", async (size) => {
    const tar = await tarOf([ids, manifest(header, line(...ids))]);
    tar.fill(0, 124, 136);
    tar.write(size, 124, "latin1");
    withChecksum(tar);
    expect(await rejected(tar)).toMatch(/^(is no whole tar|has \d+ bytes, more than the archive|has no manifest)/);
  });

  it("has no loop in its folders, however deep", async () => {
    const answers = savedAnswers();
    const deep = "sys/fs/cgroup";
    for (let depth = 0, path = deep; depth < 900; depth += 1, path += "/a")
      answers.set(`${path}/@names`, Buffer.from("da\0"));
    const found = await opened(await archiveOf(answers));
    expect(typeof found).toBe("object");
    for (const text of ["d\0", "d.\0", "d..\0", "da/b\0", "xa\0"])
      expect(await rejected(await archiveOf(savedAnswers().set(`${deep}/@names`, Buffer.from(text))))).toBe(
        "is no list of names",
      );
  });
});

/** Writes the checksum of the first header of a tar. */
function withChecksum(tar: Buffer): void {
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
