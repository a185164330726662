import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import type { CountersignError } from "../../../src/error.js";
import { DecisionSearch } from "../../../src/log/decision-search.js";
import { closeLogFile, openLogs } from "../../../src/log/log-files.js";
import { outcomeOf } from "../../../src/log/outcome.js";
import { RecordReader } from "../../../src/log/record-reader.js";
import { recordedLines } from "../../support/recorded-decisions.js";

let folder: string;
let lines: readonly string[];
let decisions: readonly string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-search-"));
  lines = await recordedLines("inputs");
  decisions = lines.filter((line) => line.includes('"type":"decision"'));
});
const idOf = (line: string): string => JSON.parse(line).id;

function write(name: string, given: readonly string[], packed = false): string {
  const text = given.map((line) => `${line}\n`).join("");
  const path = join(folder, name);
  writeFileSync(path, packed ? gzipSync(text) : text);
  return path;
}

async function search<Result>(
  paths: readonly string[],
  ask: (search: DecisionSearch) => Promise<Result>,
): Promise<{ result: Result; problems: readonly CountersignError[] }> {
  const files = openLogs(paths);
  const problems: CountersignError[] = [];
  const result = await ask(new DecisionSearch(files, (problem) => problems.push(problem)));
  for (const file of files) closeLogFile(file);
  return { result, problems };
}

describe("a search", () => {
  it("finds each decision by its id, as a reader of all lines does", { tags: ["deep"] }, async () => {
    const path = write("all.jsonl", lines);
    const reader = new RecordReader();
    for (const [index, line] of lines.entries()) {
      const read = reader.read(line);
      if (read.record?.type !== "decision") continue;
      const { result } = await search([path], (one) => one.withId(read.record!.id!));
      expect(result.map(({ place }) => place)).toEqual([`${path}:${index + 1}`]);
      expect(result[0]!.line.record).toEqual(read.record);
      expect(result[0]!.line.damage).toBe(read.damage);
    }
  });

  it("finds decisions of level `decision`, in gzip, and in rotated files", { tags: ["deep"] }, async () => {
    const plain = (await recordedLines("decision")).filter((line) => line.includes('"type":"decision"'));
    const path = write("level.jsonl", plain.slice(10));
    write("level.jsonl.1", plain.slice(5, 10));
    write("level.jsonl.2.gz", plain.slice(0, 5), true);
    for (const line of plain) {
      const { result } = await search([path], (one) => one.withId(idOf(line)));
      expect(result.map(({ line: its }) => its.record?.id)).toEqual([idOf(line)]);
    }
  });

  it("finds decisions in one compressed file, each with its definitions", { tags: ["deep"] }, async () => {
    const path = write("packed.jsonl.gz", lines, true);
    const ids = decisions.map(idOf);
    const { result } = await search([path], async (one) => {
      const found = [];
      for (const id of ids) found.push(...(await one.withId(id)));
      return found;
    });
    expect(result.map(({ line }) => [line.record?.id, line.damage])).toEqual(ids.map((id) => [id, null]));
  });

  it("finds a decision and a definition after incomplete records in the same lines", async () => {
    const [start, configuration, ...rest] = lines;
    const caller = rest.findIndex((line) => line.includes('"type":"caller"'));
    const decision = rest.findIndex((line) => line.includes('"type":"decision"'));
    rest[caller] = decisions[5]!.slice(0, 100) + rest[caller];
    rest[decision] = decisions[6]!.slice(0, 100) + rest[decision];
    const path = write("damaged.jsonl", [start!, configuration!, ...rest]);
    const { result } = await search([path], (one) => one.withId(idOf(decisions[0]!)));
    expect(result.map(({ line }) => line.damage)).toEqual(["not-json"]);
    expect(result[0]!.line.record?.current?.uid).toBe(0);
  });

  it("finds all decisions with one id, in their order", async () => {
    const path = write("twice.jsonl", [...lines, decisions[3]!]);
    const { result } = await search([path], (one) => one.withId(idOf(decisions[3]!)));
    const at = lines.indexOf(decisions[3]!) + 1;
    expect(result.map(({ place }) => place)).toEqual([`${path}:${at}`, `${path}:${lines.length + 1}`]);
  });

  it("takes a definition from another file, if the log was cut", async () => {
    const definitions = lines.filter((line) => !line.includes('"type":"decision"'));
    const path = write("cut.jsonl", [decisions[0]!]);
    const other = write("definitions.jsonl", definitions);
    const alone = await search([path], (one) => one.withId(idOf(decisions[0]!)));
    expect(alone.result[0]!.line.damage).toBe("missing");
    const both = await search([path, other], (one) => one.withId(idOf(decisions[0]!)));
    expect(both.result[0]!.line.damage).toBeNull();
  });

  it("finds nothing for an id of no decision, or of another kind of record", async () => {
    const path = write("none.jsonl", [...lines, '{"level":"info","type":"keyring","version":2,"id":"x-1"}']);
    for (const id of ["x-1", "01a220c3-2003-72f9-a12f-3bc8cdc67ab8", "", "1"])
      expect((await search([path], (one) => one.withId(id))).result).toEqual([]);
  });

  it("finds the newest denial, enforced or in audit", async () => {
    const path = write("newest.jsonl", lines);
    const reader = new RecordReader();
    const denials = lines.flatMap((line) => {
      const { record } = reader.read(line);
      return record?.type === "decision" && outcomeOf(record) !== "allowed" && outcomeOf(record) !== "probe"
        ? [record]
        : [];
    });
    const { result } = await search([path], (one) => one.newestDenial());
    expect(result?.line.record?.id).toBe(denials.at(-1)!.id);
    expect(result?.line.damage).toBeNull();
    write("newest.jsonl.1", lines);
    writeFileSync(path, "");
    expect((await search([path], (one) => one.newestDenial())).result?.line.record?.id).toBe(denials.at(-1)!.id);
    const quiet = lines.filter((line) => line.startsWith('{"level":"info"'));
    const none = write("quiet.jsonl", quiet);
    expect((await search([none], (one) => one.newestDenial())).result).toBeNull();
  });

  it("finds the newest denial before the last 4 MiB", async () => {
    const allowed = decisions.find((line) => line.startsWith('{"level":"info"'))!;
    const many = Array.from({ length: 10_000 }, () => allowed);
    const path = write("long.jsonl", [...lines, ...many]);
    const { result } = await search([path], (one) => one.newestDenial());
    expect(result?.line.record?.denied_by ?? result?.line.record?.audit_denials?.length).toBeTruthy();
  });

  it("names damage of a compressed file and takes what is before it", async () => {
    const path = join(folder, "broken.jsonl.gz");
    const packed = gzipSync(`${lines.join("\n")}\n`, { level: 0 });
    writeFileSync(path, packed.subarray(0, packed.length - 40));
    const { result, problems } = await search([path], (one) => one.withId(idOf(decisions[0]!)));
    expect(result).toHaveLength(1);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(["LOG_DAMAGED"]));
  });
});
