import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRecord, recordIn } from "../../../src/log/read-record.js";

describe("a line of version 2", () => {
  it("is read as it is, also with fields and of a type that are not known", () => {
    for (const record of [
      { version: 2, type: "decision", hook: "bpf" },
      { version: 2, type: "weather", more: [1] },
    ])
      expect(readRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([3, 1, "2", null, undefined])("is not read if its version is %s", (version) => {
    const { record, problem } = recordIn(JSON.stringify({ version, type: "decision", hook: "bpf" }));
    expect([record, problem?.code]).toEqual([null, "LOG_VERSION"]);
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
    expect(reason('{"version":3}')).toMatch(/^LOG_VERSION is a record of version 3, .* reads version 2$/);
    expect(reason('{"hook":"bpf","verdict":0}')).toBe(
      "LOG_VERSION has no `version`, which Countersign 0.2.0 and later write in each record",
    );
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

  it("that is an object of any form is read without an exception", { tags: ["deep"] }, () => {
    const name = fc.constantFrom("version", "type", "hook", "answers", "grants", "denied_by", "subject", "duration_us");
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(fc.constant(2), fc.jsonValue())), (fields) => {
        const { record, problem } = recordIn(JSON.stringify(fields));
        const expected = fields.version === 2 ? ["LOG_DAMAGED", 2] : ["LOG_VERSION"];
        expect(problem?.code ?? record?.version).toBeOneOf(expected);
      }),
    );
  });
});
