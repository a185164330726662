// @module-tag deep
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RecordReader } from "../../src/log/record-reader.js";
import { runCommand } from "../support/command-line.js";
import { recordedLines } from "../support/recorded-decisions.js";

const EVIL = "\x1b]0;owned\x07\x1b[2J\r\n\u202egnp.exe\u009b31m";
/** What a terminal would act on, apart from the line feeds between records. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

let folder: string;
let lines: readonly string[];
let decisions: readonly number[];
beforeAll(async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  folder = mkdtempSync(join(tmpdir(), "hostile-logs-"));
  lines = await recordedLines("inputs");
  // Those of one writer: its records and definitions come before all others
  const second = lines.findIndex((line, index) => index > 0 && line.includes('"type":"start"'));
  // A suspended attachment is one decision that no log can be replayed by
  lines = lines.slice(0, second).filter((line) => !line.includes('"code":"SUSPENDED"'));
  decisions = lines.flatMap((line, index) => (line.includes('"type":"decision"') ? [index] : []));
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const write = (given: readonly string[]) => {
  const path = join(folder, "log");
  writeFileSync(path, given.map((line) => `${line}\n`).join(""));
  return path;
};
/** What `log` shows of these lines, its exit code, and the codes of its errors. */
async function shown(given: readonly string[]) {
  const { code, out, err } = await runCommand("log", write(given));
  return { code, lines: out.trimEnd().split("\n"), codes: [...err.matchAll(/\[([A-Z_]+)\]/g)].map(([, one]) => one) };
}
/** The counts of a replay of these lines, and its exit code. */
async function replayed(given: readonly string[]) {
  const { code, out, err } = await runCommand("replay", "--json", write(given));
  const { same, different, unknown, unasked, groups } = JSON.parse(out);
  return { code, same, different, unknown, unasked, groups, err };
}
const damages = (given: readonly string[]) => {
  const reader = new RecordReader();
  return given.flatMap((line) => reader.read(line).damage ?? []);
};
const changed = (index: number, change: (record: Record<string, unknown>) => object) =>
  lines.with(index, JSON.stringify(change(JSON.parse(lines[index]!))));

describe("a log of inputs", () => {
  let whole: { readonly code: number; readonly same: number; readonly err: string };
  let wholeLines: number;
  beforeAll(async () => {
    whole = await replayed(lines);
    wholeLines = (await shown(lines)).lines.length;
  });

  it("that is whole is replayed", () => {
    expect(whole).toMatchObject({ code: 0, different: 0, unknown: 0, err: "" });
    expect(whole.same).toBeGreaterThan(10);
  });

  it("with records of a newer version: they are named, and the rest is read", async () => {
    const newer = changed(decisions[0]!, (record) => ({ ...record, version: 3, verdict: { of: "another form" } }));
    expect(await shown(newer)).toMatchObject({ code: 2, codes: ["LOG_VERSION"] });
    expect((await shown(newer)).lines).toHaveLength(wholeLines - 1);
    const { code, same, err } = await replayed(newer);
    expect([code, same]).toEqual([2, whole.same - 1]);
    expect(err).toMatch(/is a record of version 3, .*\[LOG_VERSION\]; read it with /);
  });

  it("that is cut at any byte of a decision: the line is damaged, and nothing else", () => {
    const at = decisions[1]!;
    const { length } = lines[at]!;
    for (let end = 1; end < length; end += 7)
      expect(damages(lines.with(at, lines[at]!.slice(0, end)))).toEqual(["not-json"]);
  });

  it("that is cut at any byte before the record of another writer: that record is read", async () => {
    const [first, second] = [decisions[0]!, decisions[1]!];
    for (let end = 1; end < lines[first]!.length; end += 7) {
      const reader = new RecordReader();
      const joined = lines[first]!.slice(0, end) + lines[second]!;
      const read = lines
        .slice(0, second)
        .with(first, joined)
        .map((line) => reader.read(line));
      expect([read[first]?.damage, read[first]?.inputs?.id]).toEqual(["not-json", JSON.parse(lines[second]!).id]);
    }
  });

  it("with a line of beginnings of records only is read in time that grows with its length", async () => {
    const line = `{"level":"info","type":"decision","version":2,"time":"","a":[`.repeat(50_000);
    expect(await shown([line, ...lines])).toMatchObject({ code: 2, codes: ["LOG_DAMAGED"] });
  });

  it("with a decision that is there twice names the second", async () => {
    const { code, same, err } = await replayed([...lines, lines[decisions[0]!]!]);
    expect([code, same]).toEqual([2, whole.same + 1]);
    expect(err).toContain("has the id of an earlier decision [LOG_DAMAGED]");
  });

  it.each(["configuration", "subject", "caller"] as const)(
    "with a digest of a %s that is not in it: the decision is unknown, shown, and never the same",
    async (type) => {
      const digest = "00".repeat(16);
      const given = changed(decisions[0]!, (record) => {
        if (type === "configuration") return { ...record, configuration: digest };
        const field = type === "subject" ? "subject" : "current";
        return { ...record, [field]: { ...(record[field] as object), definition: digest } };
      });
      expect(await shown(given)).toMatchObject({ code: 0, codes: [] });
      expect((await shown(given)).lines).toHaveLength(wholeLines);
      const { code, same, unknown, groups } = await replayed(given);
      expect([code, same, unknown, groups.length]).toEqual([2, whole.same - 1, 1, 1]);
      expect(groups[0].because).toContain("not in the log");
    },
  );

  it("with digests and fields of another type is read without an exception", async () => {
    for (const field of ["configuration", "subject", "current", "answers"])
      for (const value of [null, 5, "x", [], {}, [null], { definition: 7 }, { definition: "__proto__" }]) {
        const given = changed(decisions[0]!, (record) => ({ ...record, [field]: value }));
        const { same, different, unknown, unasked, err } = await replayed(given);
        const total = same + different + unknown + unasked + (err.includes("LOG_DAMAGED") ? 1 : 0);
        expect(total, `${field} ${JSON.stringify(value)}`).toBe(decisions.length);
        expect(same, `${field} ${JSON.stringify(value)}`).toBeLessThanOrEqual(whole.same);
        expect([0, 2]).toContain((await shown(given)).code);
      }
  });

  it("whose clock goes backwards is shown in the order of the file, and replayed", async () => {
    const given = changed(decisions[1]!, (record) => ({ ...record, time: "1970-01-01T00:00:00.000Z" }));
    const { lines: printed } = await shown(given);
    expect(printed[1]).toMatch(/^1970-/);
    expect(await replayed(given)).toMatchObject({ code: 0, same: whole.same });
  });

  it("with terminal escapes in names shows them as text", async () => {
    const given = changed(decisions[0]!, (record) => ({
      ...record,
      configuration: "00".repeat(16),
      subject: { name: EVIL, definition: EVIL },
      current: { ...(record.current as object), comm: EVIL },
    }));
    const path = write(given);
    for (const words of [["log"], ["log", "--json"], ["replay"], ["replay", "--json"]]) {
      const { out, err } = await runCommand(...words, path);
      expect(out, words.join(" ")).not.toMatch(ACTIVE);
      expect(err, words.join(" ")).not.toMatch(ACTIVE);
      expect(out, words.join(" ")).toContain("owned");
    }
  });
});
