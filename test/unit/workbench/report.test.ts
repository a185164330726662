import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReadRecord } from "../../../src/log/read-record.js";
import { PeriodCounts, Periods } from "../../../src/workbench/report/period-counts.js";
import { Report } from "../../../src/workbench/report.js";
import { reportPage } from "../../../src/workbench/report-page.js";
import { runCommand } from "../../support/command-line.js";
import { manyDecisions } from "../../support/many-decisions.js";
import { COMPLETE } from "../../support/share.js";

const START = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const denial = (attachment: string | null, reason: string) => {
  return { attachment, verdict: -1, code: "DENIED_BY_POLICY", reason };
};
const record = (more: object) =>
  ({
    ...{ type: "decision", time: at(0), id: "1", hook: "bpf", verdict: 0, enforced_verdict: 0, subject: { name: "p" } },
    ...{ current: { comm: "tc", container: null }, answers: [], ...more },
  }) as ReadRecord;

function dataOf(...records: readonly ReadRecord[]) {
  const report = new Report();
  for (const one of records) report.add(one);
  return report.data(["log"]);
}

describe("a report", () => {
  it("counts decisions that are alike in one group, whatever the digest in their reason", () => {
    const denied = (digit: string) =>
      record({ verdict: -1, enforced_verdict: -1, denied_by: denial("tc", `no ${digit.repeat(64)}`) });
    const { groups, decisions } = dataOf(denied("a"), denied("b"), record({}), record({ type: "keyring" }));
    expect(decisions).toBe(3);
    expect(groups.map(({ outcome, count, reason, policies }) => [outcome, count, reason, policies])).toEqual([
      ["denied", 2, "no …", ["tc"]],
      ["allowed", 1, null, []],
    ]);
    expect(groups[0]?.example?.facts).toContainEqual(["reasons", `no ${"a".repeat(64)}`]);
  });

  it("counts what a shadow would decide otherwise apart, the most frequent first", () => {
    const shadow = (more: object) => record({ type: "shadow", change: "denies", ...more });
    const { decisions, shadow: groups } = dataOf(
      record({}),
      shadow({ denied_by: denial("b", "once") }),
      shadow({ change: "allows", id: "7", decided: { denied_by: denial("a", `no ${"a".repeat(64)}`) } }),
      shadow({ change: "allows", id: "8", decided: { denied_by: denial("a", `no ${"b".repeat(64)}`) } }),
    );
    expect(decisions).toBe(1);
    expect(groups.map(({ change, reason, count, id }) => [change, reason, count, id])).toEqual([
      ["allows", "no …", 2, "7"],
      ["denies", "once", 1, "1"],
    ]);
    const many = Array.from({ length: 1100 }, (_, index) => shadow({ subject: { name: `p${index}` } }));
    const bounded = dataOf(...many).shadow;
    expect([bounded.length, bounded[0]]).toMatchObject([1001, { program: "(others)", count: 100 }]);
  });

  it("tells apart what was denied, would be, and what attachments in audit denied", () => {
    const { groups } = dataOf(
      record({ verdict: -1, enforced_verdict: -1, denied_by: denial(null, "a") }),
      record({ enforced_verdict: -1, denied_by: denial("x", "b") }),
      record({ audit_denials: [denial("y", "c"), denial("z", "d")] }),
      record({ loader_probe: "libbpf" }),
    );
    expect(groups.map(({ outcome, policies }) => [outcome, policies])).toEqual([
      ["denied", [null]],
      ["would deny", ["x"]],
      ["audit denial", ["y", "z"]],
      ["probe", []],
    ]);
  });

  it("counts how often attachments were asked, denied and failed", () => {
    const answers = [
      { attachment: "a", mode: "enforce", verdict: -1 },
      { attachment: "b", mode: "audit", verdict: 0, fault: { code: "POLICY_ERROR", message: "m", place: null } },
    ];
    expect(dataOf(record({ answers }), record({ answers: answers.slice(0, 1) })).policies).toEqual([
      { name: "a", asked: 2, denied: 2, inAudit: 0, faults: 0 },
      { name: "b", asked: 1, denied: 0, inAudit: 1, faults: 1 },
    ]);
  });

  it("counts times that go back, and decisions without a time", () => {
    const { backwards, from, to, groups } = dataOf(
      record({ time: at(100) }),
      record({ time: at(70) }),
      record({ time: at(10) }),
      record({ time: undefined }),
    );
    expect([backwards, from, to]).toEqual([1, START + 10_000, START + 100_000]);
    expect(groups).toMatchObject([{ count: 4, periods: [0, 1, 60, 1, 90, 1] }]);
  });

  it("of many different decisions has at most 5 MB, and counts what it leaves out", { tags: ["deep"] }, () => {
    const report = new Report();
    const count = COMPLETE ? 120_000 : 40_000;
    for (const one of manyDecisions(count)) report.add(one);
    const data = report.data(["log"]);
    expect(Buffer.byteLength(reportPage(data))).toBeLessThanOrEqual(5_000_000);
    expect(data.groups.reduce((sum, one) => sum + one.count, 0)).toBe(count);
    expect(data.groups.filter(({ others }) => others !== undefined).length).toBeGreaterThan(0);
    const [left] = data.groups.filter(({ others, outcome }) => others !== undefined && outcome === "audit denial");
    expect(left?.policies).toHaveLength(1);
  });

  it("is no place for a tag of a name", () => {
    const evil = "</script><script>alert(1)</script><!--";
    const page = reportPage(
      dataOf(record({ subject: { name: evil }, enforced_verdict: -1, denied_by: denial(evil, evil) })),
    );
    expect(page).not.toContain("<script>alert");
    expect(page.match(/<script/g)).toHaveLength(2);
    const [, json = ""] = /<script id="data" type="application\/json">(.*)<\/script>/.exec(page) ?? [];
    expect(JSON.parse(json).groups[0].program).toBe(evil);
  });
});

describe("periods", () => {
  it("become longer until all times fit, and counts stay", () => {
    const periods = new Periods();
    const counts = new PeriodCounts(periods);
    const add = (seconds: number) => {
      periods.include(START + seconds * 1000);
      counts.add(START + seconds * 1000);
    };
    for (const seconds of [0, 0, 1, 239]) add(seconds);
    expect([periods.length, counts.pairs()]).toEqual([1000, [0, 2, 1, 1, 239, 1]]);
    add(240);
    expect([periods.length, counts.pairs()]).toEqual([2000, [0, 3, 119, 1, 120, 1]]);
    expect(counts.total).toBe(5);
  });
});

describe("countersign report", () => {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  const log = join(folder, "log");
  const out = join(folder, "page.html");

  it("writes a page, also of an empty log, and names lines that cannot be read", async () => {
    writeFileSync(log, `${JSON.stringify({ version: 2, ...record({}) })}\n{"cut\n`);
    const ran = await runCommand("report", "--out", out, log);
    expect([ran.code, ran.out]).toEqual([2, `${out}: 1 decision\n`]);
    expect(ran.err).toMatch(/log:2: .*\[LOG_DAMAGED\]/);
    expect(readFileSync(out, "utf8")).toMatch(/^<!DOCTYPE html>/);
    writeFileSync(log, "");
    expect(await runCommand("report", "--out", out, log)).toMatchObject({ code: 0, out: `${out}: 0 decisions\n` });
  });

  it("writes no page of a file that is no log", async () => {
    const page = join(folder, "none.html");
    writeFileSync(log, "no\nlog\n");
    const { code, out, err } = await runCommand("report", "--out", page, log);
    expect([code, out, existsSync(page)]).toEqual([2, "", false]);
    expect(err).toMatch(
      /log: is no decision log: none of its 2 lines is a record \[LOG_DAMAGED\]; name a decision log/,
    );
  });

  it("rejects a name for a page that --json does not write", async () => {
    const { code, err } = await runCommand("report", "--json", "--out", join(folder, "none.html"), log);
    expect([code, err]).toEqual([2, expect.stringContaining("`--json` cannot be used with option `--out <file>`")]);
  });

  it("prints the counts as JSON", async () => {
    writeFileSync(log, `${JSON.stringify({ version: 2, ...record({}) })}\n`);
    const { code, out } = await runCommand("report", "--json", log);
    expect([code, JSON.parse(out)]).toMatchObject([0, { decisions: 1, groups: [{ outcome: "allowed", count: 1 }] }]);
  });
});
