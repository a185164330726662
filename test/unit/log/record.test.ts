import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HOOK_NAMES, HOOKS } from "../../../src/hooks/catalogue.js";
import { DENIAL_CODES } from "../../../src/hooks/decision.js";
import type {
  AnswerOfRecord,
  CallerOfRecord,
  DecisionRecord,
  KeyringRecord,
  LogRecord,
  ThrottleRecord,
} from "../../../src/log/record.js";
import { FAULT_CODES } from "../../../src/policy/model/outcome.js";
import { examplesOf, fieldsIn, mismatch, RECORD_FIELDS } from "../../support/record-schema.js";
import { recordedLines } from "../../support/recorded-decisions.js";

/** Denials of the guard in the kernel are written by `seal log` alone. */
const ENGINE_CODES = DENIAL_CODES.filter((code) => code !== "DENIED_BY_GUARD");

describe("the records that engine and gate write", () => {
  let records: readonly LogRecord[];
  beforeAll(async () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    records = (await recordedLines()).map((line) => JSON.parse(line));
  });
  afterAll(() => void vi.restoreAllMocks());
  const decisions = () => records.filter((record): record is DecisionRecord => record.type === "decision");

  it("match the schema, each field of theirs", () => {
    for (const record of records) expect(mismatch(record), JSON.stringify(record)).toBeNull();
  });

  it("have each field that the schema has for them", () => {
    const written = new Set(records.flatMap((record) => fieldsIn(record, record.type)));
    const definitions = new Set([...written].map((field) => field.slice(0, field.indexOf("."))));
    const fields = RECORD_FIELDS.filter((field) => definitions.has(field.slice(0, field.indexOf("."))));
    expect(fields.filter((field) => !written.has(field))).toEqual(["decision.masked"]);
  });

  it("are of each kind: both modes, each origin, each level, and each way to deny", () => {
    const all = (values: readonly unknown[]) => [...new Set(values)].sort();
    expect(all(records.map(({ origin }) => origin))).toEqual(["agent", "check", "library", "run"]);
    expect(all(records.map(({ level }) => level))).toEqual(["error", "info", "warn"]);
    expect(
      all(decisions().map(({ mode, verdict, enforced_verdict }) => [mode, verdict, enforced_verdict].join())),
    ).toEqual(expect.arrayContaining(["audit,0,-1", "audit,0,-16", "audit,0,0", "enforce,-1,-1", "enforce,0,0"]));
    const codes = decisions().flatMap(({ denied_by, answers }) => [
      denied_by?.code,
      ...answers.map(({ fault }) => fault?.code),
    ]);
    expect(all(codes)).toEqual(
      expect.arrayContaining([...ENGINE_CODES, "POLICY_ERROR", "OUT_OF_STEPS", "BAD_RETURN_VALUE", "SUSPENDED"]),
    );
  });

  it("have increasing ids in each file", () => {
    for (const origin of ["run", "agent", "check", "library"]) {
      const ids = decisions().flatMap((record) => (record.origin === origin ? [record.id] : []));
      expect(ids.length).toBeGreaterThan(30);
      expect(ids).toEqual([...new Set(ids)].sort());
    }
  });

  it("do not match with another type or version, or a field too many", () => {
    const [record] = records as [LogRecord];
    for (const change of [
      { type: "caller" },
      { version: 3 },
      { duration: 1 },
      { time: 0 },
      { id: "1" },
      { mode: "dry" },
    ])
      expect(mismatch({ ...record, ...change }), JSON.stringify(change)).not.toBeNull();
  });
});

/** The fields of the types in src/log/record.ts; the compiler says if one is missing here or is none of the type's. */
const TYPES = {
  decision: {
    ...{ level: 1, type: 1, version: 1, time: 1, origin: 1, judged_time: 1, id: 1, operation: 1, hook: 1, mode: 1 },
    ...{ verdict: 1, enforced_verdict: 1, denied_by: 1, audit_denials: 1, loader_probe: 1, subject: 1, current: 1 },
    ...{ answers: 1, grants: 1, keyrings: 1, duration_us: 1, masked: 1 },
  } satisfies Record<keyof DecisionRecord, 1>,
  current: {
    ...{ pid: 1, tid: 1, uid: 1, euid: 1, gid: 1, comm: 1, exe: 1, cgroup: 1, container: 1 },
  } satisfies Record<keyof CallerOfRecord, 1>,
  answer: {
    ...{ attachment: 1, mode: 1, policy: 1, verdict: 1, code: 1, reason: 1, fault: 1, unused_reasons: 1, notes: 1 },
    ...{ helpers: 1, writes: 1, steps: 1, duration_us: 1 },
  } satisfies Record<keyof AnswerOfRecord, 1>,
  keyring: {
    ...{ level: 1, type: 1, version: 1, time: 1, origin: 1, keyring: 1, generation: 1, error: 1 },
  } satisfies Record<keyof KeyringRecord, 1>,
  throttle: {
    ...{ level: 1, type: 1, version: 1, time: 1, origin: 1, container: 1, program_releases: 1 },
  } satisfies Record<keyof ThrottleRecord, 1>,
};

describe("the schema", () => {
  it.each(Object.entries(TYPES))("has the fields of the type: %s", (definition, fields) => {
    const names = RECORD_FIELDS.filter((field) => field.startsWith(`${definition}.`));
    expect(names.map((field) => field.slice(definition.length + 1)).sort()).toEqual(Object.keys(fields).sort());
  });

  it("has the present values as examples where more can come", () => {
    expect(examplesOf("decision", "hook")).toEqual(HOOK_NAMES);
    expect(examplesOf("subject", "kind")).toEqual([...new Set(Object.values(HOOKS).map(({ subject }) => subject))]);
    expect(examplesOf("denial", "code")).toEqual([...DENIAL_CODES, ...FAULT_CODES]);
    expect(examplesOf("fault", "code")).toEqual(FAULT_CODES);
  });
});
