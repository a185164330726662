import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ReadRecord, readRecord, recordIn } from "../../../src/log/read-record.js";
import { mismatch } from "../../support/record-schema.js";

/** Lines of version 1 as its code wrote them, by `countersign` 0.1.0 and by the last commit before version 2. */
const fixture = (name: string) =>
  readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
const read = (lines: readonly string[]) => lines.map((line) => readRecord(line) as ReadRecord);

describe("a line of version 2", () => {
  it("is read as it is, also with fields and of a type that are not known", () => {
    for (const record of [
      { version: 2, type: "decision", hook: "bpf" },
      { version: 2, type: "weather", more: [1] },
    ])
      expect(readRecord(JSON.stringify(record))).toEqual(record);
  });

  it("is not read if its version is a later one, or none", () => {
    for (const version of [3, 1, "2", null])
      expect(readRecord(JSON.stringify({ version, type: "decision" }))).toBeNull();
  });
});

describe("a line of version 1", () => {
  /** The ids of version 1 were no UUIDs; they stay. */
  const UUID = "019b7c5c-8000-7000-8000-000000000000";

  it("becomes a record of version 2 with the same values", () => {
    for (const record of read(fixture("version-1")))
      expect(
        mismatch(record.type === "decision" ? { ...record, id: UUID } : record),
        JSON.stringify(record),
      ).toBeNull();
  });

  it("keeps each value under its new name", () => {
    const lines = fixture("version-1");
    for (const [index, record] of read(lines).entries()) {
      const before = JSON.parse(lines[index] as string);
      expect(record.time).toBe(before.time);
      expect(record.duration_us).toBe(before.duration);
      expect(record.loader_probe).toBe(before.probe);
      expect(record.answers?.map((answer) => answer.duration_us)).toEqual(
        before.answers?.map(({ duration }: { duration: number }) => duration),
      );
      expect(record.grants?.delegation?.attachment).toBe(before.grants?.delegation?.by);
    }
    expect(read(lines).filter(({ loader_probe }) => loader_probe !== undefined)).toHaveLength(1);
    expect(read(lines).filter(({ grants }) => grants?.delegation !== undefined)).toHaveLength(1);
    expect(read(lines).filter(({ type }) => type === "keyring")).toMatchObject([{ error: null }, { error: /./ }]);
  });

  it("of 0.1.0 has its denials where version 2 has them", () => {
    const by = (attachment: string, code = "DENIED_BY_POLICY") => ({ attachment, code, verdict: -1 });
    expect(read(fixture("version-0.1.0"))).toMatchObject([
      { verdict: 0, enforced_verdict: 0, denied_by: null, audit_denials: [] },
      { verdict: -1, enforced_verdict: -1, denied_by: by("guard", "POLICY_ERROR"), audit_denials: [] },
      { verdict: -1, denied_by: by("guard"), answers: [{ code: "DENIED_BY_POLICY" }, { code: "DENIED_BY_POLICY" }] },
      { verdict: 0, enforced_verdict: 0, denied_by: null, audit_denials: [by("watch")] },
    ]);
    expect(readRecord('{"hook":"bpf","answers":[{"fuel":7}]}')?.answers).toMatchObject([{ steps: 7 }]);
  });
});

describe("a line that is no record", () => {
  const reason = (line: string) => {
    const { record, problem } = recordIn(line);
    expect(record).toBeNull();
    return `${problem?.code} ${problem?.message}`;
  };

  it("has the reason", () => {
    expect(reason('{"level":"info","ty')).toBe("LOG_DAMAGED is cut off or damaged: it is not valid JSON");
    expect(reason("\0\0\0")).toBe("LOG_DAMAGED is not JSON, and no record");
    expect(reason("[]")).toBe("LOG_DAMAGED is JSON, but no record");
    expect(reason('{"version":3}')).toMatch(/^LOG_VERSION is a record of version 3, .* reads versions up to 2$/);
  });

  it("names the field of another type", () => {
    const field = (more: object) => reason(JSON.stringify({ version: 2, type: "decision", ...more }));
    for (const [more, path] of [
      [{ time: 5 }, "time"],
      [{ subject: [] }, "subject"],
      [{ answers: [{}, { notes: [1] }] }, "answers[1].notes[0]"],
      [{ current: { container: { labels: { tier: ["edge"] } } } }, "current.container.labels.tier"],
    ] as const)
      expect(field(more)).toBe(`LOG_DAMAGED is no record: its field \`${path}\` has a value of another type`);
  });
});

describe("a record that follows an incomplete one in its line", () => {
  const record = (id: string, value: unknown = 1) => {
    const head = { level: "info", type: "decision", version: 2, time: "2026-01-02T00:00:00.000Z", origin: "run", id };
    return JSON.stringify({ ...head, answers: [{ calls: [{ call: "map_lookup", value }] }] });
  };
  const found = (line: string) => {
    const { record, problem } = recordIn(line);
    return [record?.id, problem?.code];
  };
  const whole = record("whole", JSON.parse(record("inner")));

  it("is read, and the line is damaged", () => {
    for (const length of [1, 9, 60, record("cut").length])
      expect(found(record("cut").slice(0, length) + whole), String(length)).toEqual(["whole", "LOG_DAMAGED"]);
    expect(found(record("cut").slice(0, 60) + record("cut, too").slice(0, 70) + whole)).toEqual([
      "whole",
      "LOG_DAMAGED",
    ]);
  });

  it("is not a record in a value of an incomplete or damaged one", () => {
    expect(found(whole.slice(0, -3))).toEqual([undefined, "LOG_DAMAGED"]);
    expect(found(`x${whole.slice(0, -3)}${whole.slice(0, -3)}`)).toEqual([undefined, "LOG_DAMAGED"]);
  });

  it("is looked for a bounded number of times", () => {
    const cut = record("cut").slice(0, -1);
    expect(found(cut.repeat(16) + whole)).toEqual(["whole", "LOG_DAMAGED"]);
    expect(found(cut.repeat(17) + whole)).toEqual([undefined, "LOG_DAMAGED"]);
  });
});

describe("any other line", () => {
  it.each(["", "{", "[]", "null", '"text"', "1"])("is no record: %s", (line) => expect(readRecord(line)).toBeNull());

  it("that is an object of any form is read without an exception", () => {
    const name = fc.constantFrom("hook", "event", "answers", "grants", "refusal", "would", "probe", "duration");
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), (fields) => {
        const { record, problem } = recordIn(JSON.stringify(fields));
        expect(problem?.code ?? record?.version).toBeOneOf(["LOG_DAMAGED", 2]);
      }),
    );
  });
});
