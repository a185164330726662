import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogExport } from "../../../../src/cli/export/log-export.js";
import type { CountersignError } from "../../../../src/error.js";
import type { ReadRecord } from "../../../../src/log/read-record.js";
import { recordedLines } from "../../../support/recorded-decisions.js";
import { rejection } from "../../../support/rejection.js";

let folder: string;
let log: string;
let sent: string[];
let problems: CountersignError[];
/** Whether the collector is away. */
let isAway: boolean;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-export-"));
  log = join(folder, "decisions.jsonl");
  [sent, problems, isAway] = [[], [], false];
});
afterEach(() => rmSync(folder, { recursive: true }));

const decision = (id: number | string) =>
  `${JSON.stringify({ level: "info", type: "decision", version: 2, time: "2026-01-31T12:00:00.000Z", id: `d${id}` })}\n`;
const decisions = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => decision(from + index)).join("");
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `d${from + index}`);
const position = () => join(folder, "position");

/** A new process: it knows nothing but the position. */
function exporting(passes: (record: ReadRecord) => boolean = () => true): LogExport {
  const send = async (records: readonly ReadRecord[]) => {
    if (isAway) return "stopped" as const;
    sent.push(...records.map(({ id }) => String(id)));
    return "sent" as const;
  };
  const report = (problem: CountersignError) => void problems.push(problem);
  return new LogExport({ log, position: position(), passes, report }, { send });
}

describe("an export", () => {
  it("goes on where it was", async () => {
    writeFileSync(log, decisions(1, 3));
    const first = exporting();
    expect(await first.pass()).toBe(false);
    expect(await first.pass()).toBe(false);
    expect(sent).toEqual(ids(1, 3));
    appendFileSync(log, decisions(4, 5));
    await first.pass();
    appendFileSync(log, decisions(6, 7));
    await exporting().pass();
    expect(sent).toEqual(ids(1, 7));
    expect(problems).toEqual([]);
    expect(statSync(position()).mode & 0o777).toBe(0o640);
  });

  it("sends again what was not taken", async () => {
    writeFileSync(log, decisions(1, 3));
    isAway = true;
    expect(await exporting().pass()).toBe(true);
    isAway = false;
    await exporting().pass();
    expect(sent).toEqual(ids(1, 3));
  });

  it("sends nothing of a line before it is complete", async () => {
    writeFileSync(log, decision(1).slice(0, 20));
    const its = exporting();
    await its.pass();
    appendFileSync(log, decision(1).slice(20) + decision(2).slice(0, 30));
    await its.pass();
    expect(sent).toEqual(["d1"]);
    appendFileSync(log, decision(2).slice(30));
    await its.pass();
    expect([sent, problems]).toEqual([ids(1, 2), []]);
  });

  it("loses nothing over rotations while it does not run, and sends the oldest first", async () => {
    writeFileSync(log, decisions(1, 3));
    await exporting().pass();
    appendFileSync(log, decisions(4, 4));
    renameSync(log, `${log}.1`);
    writeFileSync(log, decisions(5, 6));
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, decisions(7, 8));
    await exporting().pass();
    expect([sent, problems]).toEqual([ids(1, 8), []]);
  });

  it("sends what another process writes to a file after it was renamed", async () => {
    const fd = openSync(log, "a");
    writeSync(fd, decisions(1, 2));
    const its = exporting();
    await its.pass();
    renameSync(log, `${log}.1`);
    writeFileSync(log, decisions(3, 3));
    await its.pass();
    writeSync(fd, decisions(4, 4));
    closeSync(fd);
    await its.pass();
    await exporting().pass();
    expect([sent, problems]).toEqual([ids(1, 4), []]);
  });

  it("knows a file that was compressed or copied since", async () => {
    writeFileSync(log, decisions(1, 2));
    await exporting().pass();
    appendFileSync(log, decisions(3, 4));
    writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(log)));
    unlinkSync(log);
    writeFileSync(log, decisions(5, 5));
    const its = exporting();
    await its.pass();
    await its.pass();
    await exporting().pass();
    expect([sent, problems]).toEqual([ids(1, 5), []]);
    const copy = readFileSync(log);
    unlinkSync(log);
    writeFileSync(log, Buffer.concat([copy, Buffer.from(decisions(6, 6))]));
    await its.pass();
    expect(sent).toEqual(ids(1, 6));
  });

  it("says if the file that was exported last is gone", async () => {
    writeFileSync(log, decisions(1, 2));
    await exporting().pass();
    unlinkSync(log);
    writeFileSync(log, decisions(7, 7));
    await exporting().pass();
    expect(sent).toEqual(["d1", "d2", "d7"]);
    expect(problems.map(({ code, place }) => [code, place])).toEqual([["RECORD_NOT_FOUND", log]]);
    await exporting().pass();
    expect(problems).toHaveLength(1);
  });

  it("names lines that cannot be read, once, and sends all others", async () => {
    writeFileSync(log, `${decision(1)}nonsense\n\n${decision(2)}`);
    await exporting().pass();
    appendFileSync(log, decision(3));
    await exporting().pass();
    expect(sent).toEqual(ids(1, 3));
    expect(problems.map(({ code, place }) => [code, place])).toEqual([["LOG_DAMAGED", `${log}:2`]]);
  });

  it("sends decisions with what their definitions have, also those before the position", {
    tags: ["deep"],
  }, async () => {
    const lines = await recordedLines("inputs");
    const index = lines.findLastIndex((line) => line.includes('"type":"decision"') && line.includes('"definition"'));
    const last = lines[index]!;
    writeFileSync(log, `${lines.slice(0, index).join("\n")}\n`);
    await exporting(({ type }) => type === "decision").pass();
    appendFileSync(log, `${last}\n`);
    const records: ReadRecord[] = [];
    await exporting((record) => records.push(record) > 0).pass();
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      id: JSON.parse(last).id,
      mode: "enforce",
      subject: { kind: expect.anything() },
    });
  });

  it("has no records of a log that is not there yet", async () => {
    const its = exporting();
    expect(await its.pass()).toBe(false);
    writeFileSync(log, decisions(1, 1));
    await its.pass();
    expect([sent, problems]).toEqual([["d1"], []]);
  });

  it.each([
    "",
    "{",
    "null",
    '{"version":2,"files":[]}',
    '{"version":1,"files":[{"head":1}]}',
    '{"version":1,"files":[{"head":"a","offset":-1,"line":0}]}',
  ])("does not begin with the position %j", (text) => {
    writeFileSync(position(), text);
    expect(rejection(() => exporting())).toMatchObject({ code: "FILE_UNREADABLE", place: position() });
  });

  it("sends each of many records once, in all sizes of files", { tags: ["deep"] }, async () => {
    const its = exporting();
    const long = "x".repeat(300_000);
    let count = 0;
    for (let file = 0; file < 4; file++) {
      writeFileSync(log, decision(`long-${file}${long}`));
      for (let part = 0; part < 3; part++) {
        appendFileSync(log, decisions(count + 1, count + 700));
        count += 700;
        await its.pass();
      }
      for (let number = 4; number > 0; number--)
        try {
          renameSync(number === 1 ? log : `${log}.${number - 1}`, `${log}.${number}`);
        } catch {}
    }
    expect(sent.filter((id) => !id.startsWith("dlong"))).toEqual(ids(1, count));
    expect(new Set(sent).size).toBe(count + 4);
  });
});
