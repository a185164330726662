import { describe, expect, it } from "vitest";
import type { Point } from "../../../../src/policy/linker/points.js";
import { DecisionTrace, type TracedFrom } from "../../../../src/workbench/explain/decision-trace.js";
import { MaskedValues } from "../../../../src/workbench/replay/masked-values.js";
import { RecordedAnswers } from "../../../../src/workbench/replay/recorded-answers.js";
import { RecordedSubject } from "../../../../src/workbench/replay/recorded-subject.js";

const BYTES = { sha256: "ab".repeat(32), length: 4 };
const CERTIFICATE = { subject: "CN=Signer", serial: "01", issuer: "CN=CA" };
const JUDGED = {
  ...{ keyring: "k", generation: 1, data: BYTES.sha256, signature: null, signature_type: "MODSIG" },
  ...{ verdict: -126, reason: "it has expired", rule: "RFC 5280 6.1.3 (a)(2)", statement: null, signers: [] },
  paths: [[CERTIFICATE]],
};
const CALLS = [
  { call: "map_lookup", map: "m", key: "k", value: 1 },
  { call: "read", data: "data", offset: 0, length: 2, bytes: "01ff" },
  {
    call: "verify_signature",
    data: "data",
    signature: null,
    keyring: "k",
    signature_type: "MODSIG",
    verification: "v",
  },
  { call: "verify_program", keyring: "k", verification: "v" },
] as const;
const point = (line: number, more: object): Point =>
  ({ file: "a.js", line, column: 3, branch: null, ...more }) as never;
const POINTS = [
  point(1, { branch: { group: 0, arm: "condition is true" } }),
  point(2, { returns: true }),
  point(3, {}),
];

function traced(facts: object = { data: BYTES, name: "x", effects: { a: true } }, more: Partial<TracedFrom> = {}) {
  const subject = new RecordedSubject({ kind: "blob", facts } as never);
  const inputs = {
    ...{ subject, hasAnnotations: true, masked: MaskedValues.of(), contents: null, time: "2026-01-31T12:00:00Z" },
    ...{ callsOf: () => CALLS, verification: () => JUDGED },
  };
  const names = new Set(["k"]);
  const known = {
    ...{ own: null, keyrings: names, maps: new Set(["m"]), schemas: new Map() },
    ...{ mapValue: () => undefined, isRecordedKeyring: () => true },
  };
  const answers = new RecordedAnswers(CALLS, inputs as never, known);
  const from = { answers, subject, parameter: "blob", current: { uid: 5 }, points: POINTS, keyrings: names };
  const trace = new DecisionTrace({ ...from, sourceOf: (_, line) => `line ${line}`, ...more });
  return { trace, data: (subject.facts as { data: Uint8Array }).data, subject };
}

describe("the trace of a policy", () => {
  it("has each fact that was read once, with its value, and no object of which a part was read", () => {
    const { trace } = traced();
    for (const fact of [
      "subject.name",
      "subject.name",
      "subject.effects",
      "subject.effects.a",
      "current.uid",
      "subject.",
    ])
      trace.factRead(fact);
    trace.factRead("subject.none");
    expect(trace.all).toEqual([
      { event: "read", fact: "blob.name", value: "x" },
      { event: "read", fact: "blob.effects.a", value: true },
      { event: "read", fact: "current.uid", value: 5 },
      { event: "read", fact: "blob.none", value: null },
    ]);
    trace.fieldRead("container.labels");
    expect(trace.all.at(-1)).toEqual({ event: "read", fact: "current.container.labels", value: null });
  });

  it("has calls with their arguments and results, which the policy gets", () => {
    const { trace, data } = traced();
    expect(trace.map_lookup("m", "k")).toBe(1);
    expect([...trace.read(data, 0, 2)]).toEqual([1, 255]);
    expect(trace.hash("sha256", data)).toBe(BYTES.sha256);
    expect(trace.all).toMatchObject([
      { call: "map_lookup", arguments: ['"m"', '"k"'], result: 1, because: null, paths: [] },
      { call: "read", arguments: ["blob.data", "0", "2"], result: [1, 255] },
      { call: "hash", arguments: ['"sha256"', "blob.data"], result: BYTES.sha256 },
    ]);
  });

  it("has why a signature was rejected: the rule, and the certificate path", () => {
    const { trace, data, subject } = traced({ data: BYTES, statements: [{}], mismatches: [], signature: null });
    expect(trace.verify_signature(data, null, "k", "MODSIG")).toBe(-126);
    expect(trace.verify_program(subject.facts, "k")).toBe(-126);
    const why = { result: -126, because: JUDGED.reason, rule: JUDGED.rule, signers: [], paths: [[CERTIFICATE]] };
    expect(trace.all).toMatchObject([
      { call: "verify_signature", arguments: ["blob.data", "null", '"k"', "MODSIG"], ...why },
      { call: "verify_program", arguments: ["blob", '"k"'], ...why },
    ]);
  });

  it("has what the guest answers without asking, since the log does not", () => {
    const { trace, data, subject } = traced({ data: BYTES, statements: [], mismatches: [], signature: null });
    expect(trace.verify_signature(data, null, "k", "PKCS7")).toBe(-61);
    expect(trace.verify_program(subject.facts, "k")).toBe(-61);
    expect(trace.statement_of(subject.facts, "k")).toBe(-1);
    expect(trace.all).toMatchObject([
      { call: "verify_signature", because: "there is no signature" },
      { call: "verify_program", because: expect.stringContaining("it matches no statement") },
      { call: "statement_of", result: null, because: expect.stringContaining("it matches no statement") },
    ]);
  });

  it("has branches and returns with their lines, and the place that returned last", () => {
    const { trace } = traced();
    for (const number of [0, 2, 1, 1, 7]) trace.pointReached(number);
    const place = { file: "a.js", column: 3 };
    expect(trace.all).toEqual([
      { event: "branch", arm: "condition is true", ...place, line: 1, source: "line 1" },
      { event: "return", ...place, line: 2, source: "line 2" },
    ]);
    expect(trace.returned).toEqual({ ...place, line: 2, source: "line 2" });
  });

  it("is bounded, and says how many events it leaves out", () => {
    const { trace } = traced();
    for (let count = 0; count < 507; count++) trace.map_lookup("m", "k");
    expect(trace.all).toHaveLength(501);
    expect(trace.all.at(-1)).toEqual({ event: "more", count: 7 });
  });
});
