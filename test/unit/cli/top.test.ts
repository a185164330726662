import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follow } from "../../../src/cli/follow.js";
import { RecentDecisions, WINDOW } from "../../../src/cli/recent-decisions.js";

describe("following a log", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "follow-"));
    path = join(folder, "log");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives the lines that are added, each once it is whole", () => {
    writeFileSync(path, "old\n");
    const follow = new Follow(path, false);
    expect(follow.read()).toEqual([]);
    appendFileSync(path, "one\ntw");
    expect(follow.read()).toEqual(["one"]);
    appendFileSync(path, "o\n");
    expect(follow.read()).toEqual(["two"]);
    follow.close();
  });

  it("loses none when the file is rotated away, nor when it comes to be", () => {
    const follow = new Follow(path, false);
    expect(follow.read()).toEqual([]);
    writeFileSync(path, "first\n");
    expect(follow.read()).toEqual(["first"]);
    appendFileSync(path, "last of the old\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "first of the new\n");
    expect(follow.read()).toEqual(["last of the old", "first of the new"]);
    follow.close();
  });

  it("begins anew where the file was cut off, and keeps characters whole", () => {
    writeFileSync(path, "a long line that is there\n");
    const follow = new Follow(path, true);
    follow.read();
    writeFileSync(path, "ü\n");
    expect(follow.read()).toEqual(["ü"]);
    follow.close();
  });
});

describe("what top shows", () => {
  const line = (more: object) =>
    JSON.stringify({
      hook: "bpf_prog_load",
      verdict: 0,
      duration: 10,
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
      line({ probe: "libbpf 1.5" }),
      line({ verdict: -1, enforced_verdict: -1, denied_by: denial, current: edge, duration: 90 }),
      line({ enforced_verdict: -1, denied_by: denial, audit_denials: [denial], current: edge, duration: 30 }),
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
    recent.add([line({ operation: "b", ...denied, duration: 5 }), line({ operation: "c" })], 2000);
    recent.add([line({ operation: "c", audit_denials: [denial] }), line({ operation: "d", probe: "libbpf" })], 3000);
    expect(recent.rows(3000)[0]).toMatchObject({ rate: 0.4, allowed: 1, denied: 2, probes: 1, p50: 20, p99: 20 });
    expect(recent.reasons.map(({ outcome }) => outcome)).toEqual(["denied", "denied", "audit"]);
    expect(recent.rows(WINDOW + 2000)[0]).toMatchObject({ allowed: 0, denied: 0, probes: 1 });
    // what has left the window is another operation, should its name come again
    recent.add([line({ operation: "b" })], WINDOW + 2000);
    expect(recent.rows(WINDOW + 2000)[0]).toMatchObject({ allowed: 1, denied: 0, probes: 1 });
  });

  it("forgets what is older than its window, and takes any line", () => {
    const recent = new RecentDecisions();
    recent.add([line({}), "", "{", "[]", "null", '"text"', "{}"], 0);
    expect(recent.rows(WINDOW + 1)).toHaveLength(1);
    expect(recent.unreadable).toBe(3);
  });
});
