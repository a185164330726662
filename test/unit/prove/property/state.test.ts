import { describe, expect, it } from "vitest";
import { comparedEnds } from "../../../support/explored-bodies.js";
import { ExploredPolicy } from "../../../support/prove.js";
import { comparisonFlaw, comparisonOf } from "../../../support/prove-compare.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { answerFor, flawOf, oneAttachment } from "../../../support/prove-property.js";

/** Declarations of a file, and what a hook does with them: -1 whenever the file was executed just before. */
const STATES: Readonly<Record<string, readonly [declaration: string, body: string]>> = {
  "a variable": ["let n = 0;", "n += 1; return n > 1 ? 0 : -1;"],
  "a variable by an update": ["let n = 0;", "return n++ > 0 ? 0 : -1;"],
  "a variable by a logical assignment": ["let was;", "const before = was; was ??= true; return before ? 0 : -1;"],
  "a variable of `var` in a block": ["{ var n = 0; }", "n += 1; return n > 1 ? 0 : -1;"],
  "a variable of a closure": ["const next = (() => { let n = 0; return () => ++n })();", "return next() > 1 ? 0 : -1;"],
  "a variable of a closure in a loop": [
    "const all = []; for (let i = 0; i < 2; i++) all.push(() => ++i);",
    "return all[0]() > 1 ? 0 : -1;",
  ],
  "a property": ["const o = { n: 0 };", "o.n = o.n + 1; return o.n > 1 ? 0 : -1;"],
  "an array": ["const a = [];", "a.push(1); return a.length > 1 ? 0 : -1;"],
  "an element": ["const a = [0];", "a[0] = a[0] + 1; return a[0] > 1 ? 0 : -1;"],
  "a frozen object": ["const o = { x: 0 };", "try { o.x = 1 } catch { return 0 } Object.freeze(o); return -1;"],
  "an object in another one": [
    "const o = { in: {} };",
    "const { in: its } = o; its.n = (its.n ?? 0) + 1; return its.n > 1 ? 0 : -1;",
  ],
};
const policyOf = ([declaration, body]: readonly [string, string], more = "") =>
  oneAttachment(`${declaration} export function bpf_prog_load(prog, current) { ${body} }`, more);
const AGAIN = "decide(prog, change(current, { uid: 5 })).verdict";

describe("what changes in a decision", () => {
  it.each(Object.entries(STATES))("does not outlast it: %s", (_, state) => {
    const files = policyOf(state);
    expect(answerFor(files, `${AGAIN} === -1 && decision.verdict === -1`).answer).not.toBe("refuted");
    expect(answerFor(files, `decision.verdict === -1 && ${AGAIN} === 0`).answer).not.toBe("proved");
    expect(withPolicies(files, (policies) => flawOf(policies, `decision.verdict === ${AGAIN}`, 1, 2))).toBeNull();
  });

  it.each(Object.entries(STATES))("is not seen by another configuration: %s", (_, state) => {
    const [old, its] = [
      policyOf(state),
      policyOf(state, "maps: { other: { writable: { entries: 10, bytes: 1KiB } } }"),
    ];
    expect(comparisonOf(old, its).answer).not.toBe("differs");
    expect(comparisonFlaw(old, its, 1, 2)).toBeNull();
  });

  it("may be a variable of a function", () => {
    const files = policyOf(["", "let n = 0; for (const x of [1, 2]) n += x; return n === 3 ? -1 : 0"]);
    expect(answerFor(files, `decision.verdict === ${AGAIN}`).answer).toBe("proved");
  });
});

describe("a denial while a file is executed", () => {
  it.each([
    "const D = deny('x', 5); export function bpf_prog_load() { return D }",
    "const d = () => deny('x', 5); const D = d(); export function bpf_prog_load() { return D }",
    "const [D] = [1].map(() => deny('x', 5)); export function bpf_prog_load() { return -5 }",
  ])("is not decided: %s", (text) => {
    const policy = ExploredPolicy.of(`import { deny } from "countersign"; ${text}`);
    expect(comparedEnds(policy)).toEqual(["not decided"]);
  });
});
