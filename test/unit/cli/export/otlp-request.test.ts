import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { type OtlpLogRecord, otlpRequest } from "../../../../src/cli/export/otlp-request.js";
import type { ReadRecord } from "../../../../src/log/read-record.js";
import { VERSION } from "../../../../src/version.js";
import { recordsOf } from "../../../support/collector.js";

const TIME = Date.UTC(2026, 0, 31, 12);
const DECISION: ReadRecord = {
  level: "warn",
  type: "decision",
  version: 2,
  time: new Date(TIME).toISOString(),
  id: "01a220c3-2003-72f9-a12f-3bc8cdc67ab7",
  hook: "bpf_prog_load",
  mode: "enforce",
  verdict: -1,
  enforced_verdict: -1,
  denied_by: { attachment: "tc", verdict: -1, code: "DENIED_BY_POLICY", reason: "tc: is not signed" },
  subject: { kind: "program", name: "peek", digest: "ab" },
  current: { pid: 7, uid: 0, comm: "tc", exe: "/sbin/tc", container: { id: "c0", name: "router" } },
};
const only = (record: object): OtlpLogRecord => recordsOf(otlpRequest([record], TIME + 5))[0]!;

function valuesOf({ attributes }: OtlpLogRecord): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe("a request of OTLP", () => {
  it("has the record as its body, and what people search for as attributes", () => {
    const one = only(DECISION);
    expect(one).toMatchObject({
      timeUnixNano: `${TIME}000000`,
      observedTimeUnixNano: `${TIME + 5}000000`,
      severityNumber: 13,
      severityText: "warn",
      eventName: "countersign.decision",
      body: { stringValue: JSON.stringify(DECISION) },
    });
    expect(valuesOf(one)).toEqual({
      "countersign.id": DECISION.id,
      "countersign.outcome": "denied",
      "countersign.hook": "bpf_prog_load",
      "countersign.mode": "enforce",
      "countersign.verdict": "-1",
      "countersign.enforced_verdict": "-1",
      "countersign.attachment": "tc",
      "countersign.code": "DENIED_BY_POLICY",
      "countersign.reason": "tc: is not signed",
      "countersign.subject.kind": "program",
      "countersign.subject.name": "peek",
      "countersign.subject.digest": "ab",
      "process.pid": "7",
      "process.command": "tc",
      "process.executable.path": "/sbin/tc",
      "user.id": "0",
      "container.id": "c0",
      "container.name": "router",
    });
    expect(one.attributes.find(({ key }) => key === "process.pid")!.value).toEqual({ intValue: "7" });
  });

  it("names the service and the host once", () => {
    const [{ resource, scopeLogs }] = otlpRequest([DECISION, DECISION], TIME).resourceLogs as never as [never];
    expect(resource).toEqual({
      attributes: [
        { key: "service.name", value: { stringValue: "countersign" } },
        { key: "host.name", value: { stringValue: hostname() } },
      ],
    });
    expect(scopeLogs).toEqual([
      { scope: { name: "countersign", version: VERSION }, logRecords: expect.objectContaining({ length: 2 }) },
    ]);
  });

  it.each([
    ["no time", {}],
    ["a time that is none", { time: "yesterday" }],
    ["a time before 1970", { time: "1969-12-31T23:59:59Z" }],
  ])("lacks the time of a record with %s", (_, more) => {
    expect(only({ type: "keyring", ...more })).not.toHaveProperty("timeUnixNano");
  });

  it("leaves out values of another type: the body has them", () => {
    const odd = {
      type: "decision",
      id: 7.5,
      hook: null,
      subject: null,
      current: { pid: "x", uid: {} },
      denied_by: null,
    };
    const one = only(odd);
    expect(valuesOf(one)).toEqual({
      "countersign.outcome": "allowed",
      "process.pid": "x",
      "user.id": "[object Object]",
    });
    expect(one.body).toEqual({ stringValue: JSON.stringify(odd) });
  });

  it("is valid UTF-8", () => {
    const text = JSON.stringify(otlpRequest([{ type: "decision", hook: "\ud800x", id: "\udfff" } as never], TIME));
    expect(text).not.toMatch(/[\ud800-\udfff]/);
    expect(valuesOf(only({ type: "decision", hook: "\ud800x" }))["countersign.hook"]).toBe("\ufffdx");
  });
});
