import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import {
  isForSeenKernels,
  isForWholeType,
  keyOf,
  type LearntRule,
  learntRules,
  relocatedRules,
} from "../../../../src/workbench/learn/learnt-rules.js";
import type { SeenProgram, VerifiedStatement } from "../../../../src/workbench/learn/seen-program.js";

const [A, B] = ["a".repeat(64), "b".repeat(64)];
const program = (more: Partial<SeenProgram> = {}): SeenProgram => ({
  ...{
    name: "trace",
    type: "kprobe",
    digest: A,
    effects: ["sends_signal"],
    statements: [],
    isUnasked: false,
    place: null,
  },
  ...{ kernel: "6.12", exe: "/bin/tool", ...more },
});
const statement = (more: Partial<VerifiedStatement> = {}): VerifiedStatement => ({
  ...{ keyring: "platform", sha256: B, name: "trace_it", signer: A, ...more },
});
const keys = (rules: readonly LearntRule[]) => rules.map(({ condition }) => keyOf(condition));

describe("learnt rules", () => {
  it("have the statement, the signer, the effects, or else the digest", () => {
    const programs = [program({ statements: [statement()] }), program({ name: "other", type: "xdp", digest: B })];
    expect(keys(learntRules(programs, "statement"))).toEqual([`digest xdp ${B}`, `statement platform ${B} trace_it`]);
    expect(keys(learntRules(programs, "signer"))).toEqual([`digest xdp ${B}`, `signer platform ${A}`]);
    expect(keys(learntRules(programs, "digest"))).toEqual([`digest kprobe ${A}`, `digest xdp ${B}`]);
    expect(keys(learntRules(programs, "effects"))).toEqual(["effects kprobe sends_signal", "effects xdp sends_signal"]);
  });

  it("are for a whole type if a program may do anything", () => {
    const whole = (effects: SeenProgram["effects"]) =>
      learntRules([program({ effects })], "effects").map(isForWholeType);
    expect([whole([...EFFECTS]), whole(EFFECTS.slice(1)), whole([])]).toEqual([[true], [false], [false]]);
  });

  it("have the digest if the log has no signer of the statement", () => {
    const unnamed = [program({ statements: [statement({ signer: null })] })];
    expect(keys(learntRules(unnamed, "signer"))).toEqual([`digest kprobe ${A}`]);
    expect(keys(learntRules(unnamed, "statement"))).toEqual([`statement platform ${B} trace_it`]);
  });

  it("have a statement for each keyring that verifies one", () => {
    const statements = [statement(), statement({ keyring: "vendor", sha256: A })];
    expect(keys(learntRules([program({ statements })], "statement"))).toEqual([
      `statement platform ${B} trace_it`,
      `statement vendor ${A} trace_it`,
    ]);
  });

  it("are one for the same condition, with all that was seen of it, sorted", () => {
    const seen = [
      program({ name: "b", place: "host", kernel: "7.2" }),
      program({ name: "a", place: "tier=edge" }),
      program({ name: "a", place: "host" }),
    ];
    expect(learntRules(seen, "digest")).toEqual([
      {
        condition: { by: "digest", type: "kprobe", digest: A },
        ...{
          type: "kprobe",
          programs: ["a", "b"],
          where: ["host", "tier=edge"],
          kernels: ["6.12", "7.2"],
          object: null,
        },
      },
    ]);
    expect(learntRules([...seen].reverse(), "digest")).toEqual(learntRules(seen, "digest"));
  });

  it("name kernels for digests only", () => {
    const [rule] = learntRules([program({ statements: [statement()] })], "statement");
    expect(rule).toMatchObject({ kernels: [] });
    expect(isForSeenKernels(rule!)).toBe(false);
    const [digest] = learntRules([program({ kernel: null })], "digest");
    expect(digest).toMatchObject({ kernels: [] });
    expect(isForSeenKernels(digest!)).toBe(true);
  });
});

describe("relocated rules", () => {
  const seen = learntRules([program({ place: "host" }), program({ digest: B, name: "unlisted" })], "statement");
  const listed = (type: string, digest: string) =>
    type === "kprobe" && digest === A
      ? [
          { digest: A, kernels: ["6.12"], object: "tool.o" },
          { digest: "c".repeat(64), kernels: ["7.2"], object: "tool.o" },
        ]
      : [];

  it("have the digests of all kernels, at the same places, and keep what no object has", () => {
    const rules = relocatedRules(seen, listed);
    expect(rules.map(({ condition, where, kernels, object }) => [keyOf(condition), where, kernels, object])).toEqual([
      [`digest kprobe ${A}`, ["host"], ["6.12"], "tool.o"],
      [`digest kprobe ${B}`, [], ["6.12"], null],
      [`digest kprobe ${"c".repeat(64)}`, ["host"], ["7.2"], "tool.o"],
    ]);
    expect(rules.map(isForSeenKernels)).toEqual([false, true, false]);
  });

  it("leave other conditions as they are", () => {
    const rules = learntRules([program()], "effects");
    expect(relocatedRules(rules, () => [{ digest: B, kernels: [], object: "x.o" }])).toEqual(rules);
  });
});
