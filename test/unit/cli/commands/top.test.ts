import { describe, expect, it, vi } from "vitest";
import { takeDefinition } from "../../../../src/cli/log/earlier-definitions.js";
import { RecentDecisions, type Row, WINDOW } from "../../../../src/cli/log/recent-decisions.js";
import type { ConfigurationContent } from "../../../../src/log/input-records.js";
import { RecordReader } from "../../../../src/log/record-reader.js";
import { recordedLines } from "../../../support/recorded-decisions.js";

describe("what top shows", () => {
  const line = (more: object) =>
    JSON.stringify({
      type: "decision",
      version: 2,
      hook: "bpf_prog_load",
      verdict: 0,
      duration_us: 10,
      subject: { name: "p" },
      current: { container: null },
      ...more,
    });
  const denial = { reason: "tc: is not signed" };
  const edge = { container: { id: "c1", name: "web" } };

  it("counts by container and by what came of it", () => {
    const recent = new RecentDecisions();
    const lines = [
      line({}),
      line({ loader_probe: "libbpf 1.5" }),
      line({ verdict: -1, enforced_verdict: -1, denied_by: denial, current: edge, duration_us: 90 }),
      line({ enforced_verdict: -1, denied_by: denial, audit_denials: [denial], current: edge, duration_us: 30 }),
      line({ audit_denials: [denial, { reason: "other: no" }] }),
    ];
    recent.add(lines, 1000);
    expect(recent.rows(1000)).toEqual([
      { where: "all", rate: 0.5, allowed: 2, denied: 2, probes: 1, p50: 10, p99: 90 },
      { where: "(no container)", rate: 0.3, allowed: 2, denied: 0, probes: 1, p50: 10, p99: 10 },
      { where: "web", rate: 0.2, allowed: 0, denied: 2, probes: 0, p50: 90, p99: 90 },
    ]);
    expect(recent.reasons.map(({ where, outcome, reason }) => [where, outcome, reason])).toEqual([
      ["web", "denied", "tc: is not signed"],
      ["web", "dry run", "tc: is not signed"],
      ["web", "audit", "tc: is not signed"],
      ["(no container)", "audit", "tc: is not signed"],
      ["(no container)", "audit", "other: no"],
    ]);
  });

  it("counts the decisions of one operation once, and shows each of its reasons once", () => {
    const recent = new RecentDecisions();
    const denied = { verdict: -1, enforced_verdict: -1, denied_by: denial };
    recent.add(
      [line({ operation: "a" }), line({ operation: "b", ...denied }), line({ operation: "a", ...denied })],
      1000,
    );
    recent.add([line({ operation: "b", ...denied, duration_us: 5 }), line({ operation: "c" })], 2000);
    recent.add(
      [line({ operation: "c", audit_denials: [denial] }), line({ operation: "d", loader_probe: "libbpf" })],
      3000,
    );
    expect(recent.rows(3000)[0]).toMatchObject({ rate: 0.4, allowed: 1, denied: 2, probes: 1, p50: 20, p99: 20 });
    expect(recent.reasons.map(({ outcome }) => outcome)).toEqual(["denied", "denied", "audit"]);
    expect(recent.rows(WINDOW + 2000)[0]).toMatchObject({ allowed: 0, denied: 0, probes: 1 });
    // what has left the window is another operation, should its name come again
    recent.add([line({ operation: "b" })], WINDOW + 2000);
    expect(recent.rows(WINDOW + 2000)[0]).toMatchObject({ allowed: 1, denied: 0, probes: 1 });
  });

  it("counts each decision without an operation, as those of check", () => {
    const recent = new RecentDecisions();
    recent.add([line({ operation: null }), line({ operation: null })], 1000);
    expect(recent.rows(1000)[0]).toMatchObject({ allowed: 2 });
  });

  it("skips records of another type, and says that it cannot read those of another version", () => {
    const recent = new RecentDecisions();
    recent.add([line({ type: "later" }), line({ version: 3 }), line({ version: undefined })], 1000);
    expect([recent.rows(1000)[0]?.rate, recent.unreadable]).toEqual([0, 2]);
  });

  it("has what definitions say of a decision, also if they were there before", { tags: ["deep"] }, async () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const lines = await recordedLines("inputs");
    vi.restoreAllMocks();
    const recent = new RecentDecisions();
    for (const earlier of lines) recent.skip(earlier);
    expect(recent.rows(1000)[0]?.rate).toBe(0);
    recent.add(
      lines.filter((line) => JSON.parse(line).type === "decision"),
      1000,
    );
    const all = new RecentDecisions();
    all.add(await recordedLines(), 1000);
    const counted = (rows: readonly Row[]) => rows.map(({ p50: _, p99: _p, ...row }) => row);
    expect(counted(recent.rows(1000))).toEqual(counted(all.rows(1000)));
    expect(recent.rows(1000).map(({ where }) => where)).toContain("c1");
  });

  it("reads a definition that follows an incomplete decision in its line", () => {
    const reader = new RecordReader();
    const head = '{"level":"info","type":"';
    takeDefinition(reader, `${head}decision","version":2${head}start","version":2,"time":"","writer":"w"}`);
    expect(reader.writerOf({ writer: "w" } as ConfigurationContent)).not.toBeNull();
  });

  it("drops records that are older than its window, and accepts any line", () => {
    const recent = new RecentDecisions();
    recent.add([line({}), "", "{", "[]", "null", '"text"', "{}"], 0);
    expect(recent.rows(WINDOW + 1)).toHaveLength(1);
    expect(recent.unreadable).toBe(5);
  });
});
