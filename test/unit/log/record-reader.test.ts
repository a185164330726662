import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DecisionRecord, LogRecord } from "../../../src/log/record.js";
import { RecordReader } from "../../../src/log/record-reader.js";
import { definitionOf, fieldsIn, mismatch, RECORD_FIELDS } from "../../support/record-schema.js";
import { recordedLines } from "../../support/recorded-decisions.js";

const TYPES = ["start", "configuration", "subject", "caller", "verification"];
let lines: readonly string[];
let records: readonly LogRecord[];
let plain: readonly string[];
beforeAll(async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  lines = await recordedLines("inputs");
  records = lines.map((line) => JSON.parse(line));
  plain = await recordedLines();
});
afterAll(() => void vi.restoreAllMocks());

/** The fields of records that are different in each run, or that only one level has. */
function comparable(record: unknown): object {
  const { id: _, time: _t, duration_us: _d, ...rest } = record as DecisionRecord;
  const { keyrings: _k, judged_time, configuration: _c, ...decided } = rest as typeof rest & { configuration?: string };
  const fixed = judged_time === "2026-01-02T00:00:00.000Z" ? { judged_time } : {};
  const answers = rest.answers.map(({ helpers: _h, duration_us: _u, ...answer }) => ({ ...answer, calls: undefined }));
  return { ...decided, ...fixed, answers };
}

describe("the records of a log with all inputs", () => {
  it("match the schema, each field of theirs, and have each type", { tags: ["deep"] }, () => {
    for (const record of records) expect(mismatch(record), JSON.stringify(record)).toBeNull();
    expect(new Set(records.map(({ type }) => type))).toEqual(new Set([...TYPES, "decision", "keyring", "throttle"]));
  });

  it("have the fields of the schema, apart from those of other tests", () => {
    const written = new Set(records.flatMap((record) => fieldsIn(record, definitionOf(record))));
    const definitions = new Set([...written].map((field) => field.split(".")[0]));
    const missing = RECORD_FIELDS.filter(
      (field) => definitions.has(field.split(".")[0] as string) && !written.has(field),
    );
    // Fields of masks, other helpers, schemas, threads, and of answers whose denial is not the record's
    expect(
      missing.filter(
        (field) =>
          !/\.masked$|^(?:call|subject|statement)\.|^map_state\.schema$|\.(?:tid|code|reason|unused_reasons)$/.test(
            field,
          ),
      ),
    ).toEqual([]);
  });

  it("have the same contents as records of level `decision`", () => {
    const reader = new RecordReader();
    const decided = lines.map((line) => reader.read(line)).filter(({ record }) => record?.type === "decision");
    const others = plain.map((line) => JSON.parse(line)).filter(({ type }) => type === "decision");
    expect(decided.map(({ record }) => comparable(record))).toEqual(others.map(comparable));
    expect(decided.filter(({ damage }) => damage !== null)).toEqual([]);
  });
});

describe("a reader of records", () => {
  const read = (given: readonly string[]) => {
    const reader = new RecordReader();
    return given.map((line) => reader.read(line));
  };
  const damages = (given: readonly string[]) => read(given).flatMap(({ damage }) => (damage === null ? [] : [damage]));
  const indexOf = (type: string) => records.findIndex((record) => record.type === type);

  it("finds no damage in a whole log", () => expect(damages(lines.slice(0, lines.length / 4))).toEqual([]));

  it("names a cut line, and reads the rest", () => {
    const given = lines.map((line, index) => (index === indexOf("decision") ? line.slice(0, -9) : line));
    expect(damages(given)).toEqual(["not-json"]);
  });

  it("reads a record that follows an incomplete line", () => {
    const at = indexOf("decision");
    const [{ record, damage } = {}] = read([...lines.slice(0, at), `${lines[at]!.slice(0, 99)}${lines[at]}`]).slice(-1);
    expect({ type: record?.type, mode: record?.mode, damage }).toEqual({
      ...{ type: "decision", mode: "enforce", damage: "not-json" },
    });
  });

  it.each(TYPES.slice(1))("does not use a definition with another content: %s", (type) => {
    const changed = (line: string) => line.replace(/,"content":\{/, ',"content":{"another":1,');
    const given = lines.map((line) => (JSON.parse(line).type === type ? changed(line) : line));
    const reader = new RecordReader();
    const all = given.map((line) => reader.read(line));
    expect(all.filter(({ damage }) => damage === "wrong-digest").length).toBeGreaterThan(0);
    for (const { inputs, damage } of all)
      if (inputs !== null && type !== "verification" && (type !== "subject" || "definition" in inputs.subject))
        expect(damage).toBe("missing");
  });

  it("names a decision whose definition is missing, and keeps what the line has", () => {
    const [{ record, damage } = {}] = read([lines[indexOf("decision")]!]);
    expect(damage).toBe("missing");
    expect(record).toMatchObject({ verdict: 0, subject: { name: "allowed" }, current: { comm: "bpftool" } });
  });

  it("names a decision about another subject than its definition says", () => {
    const at = indexOf("decision");
    const changed = lines[at]!.replace('"subject":{"name":"allowed"', '"subject":{"name":"other"');
    expect(changed).not.toBe(lines[at]);
    expect(damages([...lines.slice(0, at), changed])).toEqual(["contradiction"]);
    const masked = lines[at]!.replace('"subject":{"name":"allowed",', '"subject":{');
    expect(damages([...lines.slice(0, at), masked])).toEqual([]);
  });

  it("names a decision that is there twice", () => {
    const at = indexOf("decision");
    expect(damages([...lines.slice(0, at + 1), lines[at]!])).toEqual(["duplicate-id"]);
  });

  it("finds a second decision with an id among so many that were read last, and forgets those before them", {
    tags: ["deep"],
  }, () => {
    const line = (number: number) =>
      JSON.stringify({ type: "decision", version: 2, id: `id ${number}`, verdict: 0, subject: { name: "" } });
    const reader = new RecordReader();
    for (let number = 0; number <= 65_536; number += 1) reader.read(line(number));
    expect(reader.read(line(1)).damage).toBe("duplicate-id");
    for (let number = 65_537; number < 3 * 65_536; number += 1) reader.read(line(number));
    expect(reader.read(line(1)).damage).toBeNull();
  });

  it("tells a record of another version from a line that is no record", () => {
    expect(damages(['{"level":"info","type":"decision","version":3}', "[1]", "x"])).toEqual([
      "other-version",
      "not-json",
      "not-json",
    ]);
  });

  it("keeps as many definitions as it may, and those that are used longest", () => {
    const at = indexOf("decision");
    const needed = [...lines.slice(0, at), lines[at]!];
    const definitions = needed.filter((line) => line.includes('"digest":')).length;
    const damagesWith = (most: number) => {
      const reader = new RecordReader(most);
      return needed.flatMap((line) => reader.read(line).damage ?? []);
    };
    expect([damagesWith(definitions), damagesWith(2)]).toEqual([[], ["missing"]]);
  });

  it("reads records of level `decision` as they are", () => {
    const given = read(plain).map(({ record, inputs }) => ({ record, inputs }));
    expect(given).toEqual(plain.map((line) => ({ record: JSON.parse(line), inputs: null })));
  });
});
