import { describe, expect, it } from "vitest";
import { type LearnReport, textOf } from "../../../../src/cli/learn/learn-report.js";

const report = (more: Partial<LearnReport> = {}): LearnReport => ({
  ...{ by: "statement", label: null, loads: 2, rules: { statement: 1, digest: 1, signer: 0, effects: 0 } },
  ...{
    left_out: { denied: 0, probes: 0, unusable: {} },
    for_seen_kernels: [],
    whole_types: [],
    unasked: 0,
    varying: [],
    modules: null,
    files: ["out/a"],
  },
  ...{ check: null, ...more },
});
const digest = (name: string) => ({ programs: [name], type: "xdp", digest: "00", kernels: ["6.12"] });

describe("the text of a report", () => {
  it("says what was learnt, and where it is", () => {
    expect(textOf(report())).toEqual(["learnt from 2 loads: 1 by statement, 1 by digest", "out/a"]);
  });

  it("names what was left out", () => {
    const left_out = { denied: 1, probes: 2, unusable: { "the subject is not in the log": 3 } };
    expect(textOf(report({ left_out })).slice(1, 4)).toEqual([
      "left out: 1 denied load (see --include-denied)",
      "left out: 2 probes of loaders, which the gate allows anyway",
      "not learnt: 3 loads: the subject is not in the log",
    ]);
  });

  it("names programs by digest and their kernels", () => {
    const [, first, second] = textOf(report({ for_seen_kernels: [digest("a")] }));
    expect(first).toBe(
      "by digest, since no statement of theirs was verified, and for 6.12 only (--objects and --btf add other kernels):",
    );
    expect(second).toBe("  a (xdp) 00");
    const unknown = [{ ...digest("a"), kernels: [] }];
    expect(textOf(report({ by: "digest", for_seen_kernels: unknown }))[1]).toContain(
      "by digest, and for the kernel that loaded them only",
    );
  });

  it("names types of which every program is allowed", () => {
    const whole_types = [{ type: "kprobe", programs: ["large", "unknown"] }];
    expect(textOf(report({ by: "effects", whole_types })).slice(1, 3)).toEqual([
      "every program of these types is allowed, since one may do anything or could not be analysed; learn by digest:",
      "  kprobe: large, unknown",
    ]);
  });

  it("shows 20 of a list, and says how many more there are", () => {
    const many = Array.from({ length: 25 }, (_, index) => digest(`p${index}`));
    const lines = textOf(report({ for_seen_kernels: many }));
    expect(lines.filter((line) => line.includes("(xdp)"))).toHaveLength(20);
    expect(lines).toContain("  … and 5 more, which --json has");
  });

  it("says that a policy has to ask who signed", () => {
    expect(textOf(report({ unasked: 2 }))[1]).toBe(
      "2 of them match a statement that no policy asked about: record with policies/observe.js",
    );
    expect(textOf(report({ unasked: 1 }))[1]).toMatch(/^1 of them matches a statement /);
  });

  it("proposes effects for programs that vary", () => {
    const varying = [
      { name: "trace", type: "kprobe", exe: "/usr/bin/bpftrace", digests: 3 },
      { name: "trace", type: "xdp", exe: null, digests: 2 },
    ];
    expect(textOf(report({ varying })).slice(1, 4)).toEqual([
      "their digests differ from run to run, so that the next run is denied; learn them with --by effects:",
      "  trace (kprobe) of /usr/bin/bpftrace: 3 digests",
      "  trace (xdp): 2 digests",
    ]);
  });

  it("shows what a check denies, and hides what a terminal would act on", () => {
    const groups = [
      { result: "denied", subject: "a\u001b[2J", because: "x: no", count: 2, ids: ["1", "2"] },
      { result: "unknown", subject: "b", because: "keyring `k`", count: 1, ids: [] },
    ] as const;
    const check = { allowed: 4, denied: 2, unknown: 1, groups };
    expect(textOf(report({ check })).slice(-3)).toEqual([
      "checked: 4 allowed, 2 denied, 1 unknown",
      "  2 × `a\\u{1b}[2J`: denied: x: no [1]",
      "  1 × `b`: unknown without keyring `k`",
    ]);
  });
});
