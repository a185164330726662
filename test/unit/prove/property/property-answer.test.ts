import { describe, expect, it } from "vitest";
import { seedOf } from "../../../support/damage.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { answerFor, flawOf, oneAttachment } from "../../../support/prove-property.js";

const seed = seedOf();
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 20_000 : 25));

const POLICY = `import { deny, verify_program } from "countersign";
export function bpf_prog_load(prog, current) {
  if (prog.effects.redirects) return deny("redirects", 13);
  if (current.container?.labels?.tier === "edge") return verify_program(prog, "platform");
  return current.uid === 0 ? 0 : deny(\`for \${prog.name}\`);
}`;
const FILES = oneAttachment(POLICY);

/** Properties with their answers. */
const PROPERTIES: readonly (readonly [name: string, text: string, answer: string])[] = [
  ["what the policy denies", "!prog.effects.redirects || decision.verdict === -13", "proved"],
  ["its reason", '!prog.effects.redirects || decision.reason === "redirects"', "proved"],
  ["who denies", 'decision.verdict === 0 || decision.attachment === "policy"', "proved"],
  ["no fault", "decision.fault === null && decision.answers.every((one) => one.fault === null)", "proved"],
  ["all answers", "decision.answers.length === 1 && decision.answers[0].verdict === decision.verdict", "proved"],
  [
    "parts of the answers and of the keyrings",
    "decision.answers.slice(0, 1).length === 1 && decision.answers.at(-1).verdict === decision.verdict && keyrings.at(-1) === 'platform'",
    "proved",
  ],
  ["the mode", 'decision.mode === "enforce"', "proved"],
  ["a verification", "decision.verdict !== 0 || verified(prog)", "refuted"],
  ["a verification, or a user", "decision.verdict !== 0 || verified(prog) || current.uid === 0", "proved"],
  [
    "a verification for some labels",
    'current.container?.labels?.tier !== "edge" || decision.verdict !== 0 || verified(prog, "platform")',
    "proved",
  ],
  ["a signer", 'signer(prog, "platform") === null || verified(prog, "platform")', "proved"],
  ["the name of a signer", 'signer(prog, "platform")?.subject !== "CN=a"', "refuted"],
  ["a wrong verdict", "decision.verdict === 0 || decision.verdict === -1", "refuted"],
  ["another mode", 'decide(prog, current, { mode: "audit" }).verdict === 0', "proved"],
  ["another user", "decide(prog, change(current, { uid: 5 })).verdict === 0 || decision.verdict !== 0", "refuted"],
  [
    "another user without a container",
    `decide(prog, change(current, { uid: 0, container: null })).verdict === (prog.effects.redirects ? -13 : 0)`,
    "proved",
  ],
  [
    "other labels",
    `current.container === null || prog.effects.redirects || !verified(prog) ||
      decide(prog, change(current, { container: change(current.container, { labels: { tier: "edge" } }) })).verdict === 0`,
    "proved",
  ],
  ["a reason that may be cut", 'decision.reason !== "for me"', "not decided"],
  [
    "the end of a reason that may be cut",
    "decision.verdict === -13 || decision.reason?.endsWith(prog.name) !== false",
    "not decided",
  ],
  ["a text that is put together", "'for ' + prog.name !== 'for me' || prog.name === 'me'", "proved"],
  ["a changed program", "decide(change(prog, { name: 'a' }), current).verdict === 0", "not decided"],
  ["an unknown option", "decide(prog, current, { maps: {} }).verdict === 0", "not decided"],
];

describe(`a property (seed ${seed})`, () => {
  it.each(PROPERTIES)("about %s: %s is %s", (_, text, expected) => {
    const { answer, witness, doubts } = answerFor(FILES, text);
    expect([answer, doubts.filter(({ contradicted }) => contradicted)]).toEqual([expected, []]);
    expect(witness !== null).toBe(expected === "refuted");
  });

  it.each(PROPERTIES)("about %s has one path for each input, with the truth of the engine's decision", (_, text) => {
    expect(withPolicies(FILES, (policies) => flawOf(policies, text, seed, INPUTS))).toBeNull();
  });

  it("is refuted by a decision that the engine made", () => {
    const { witness } = answerFor(FILES, "decision.verdict !== -13");
    expect(witness).toMatchObject({
      values: { "prog.effects.redirects": true },
      decision: { enforced_verdict: "-EACCES", attachment: "policy", fault: null },
    });
    expect(witness?.decision.reason).toContain("redirects");
  });

  const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"].map((one) => `prog.name.includes("${one}")`);

  it("is not decided if a limit is reached", { tags: ["deep"] }, () => {
    const { answer, doubts, explored } = answerFor(FILES, `[${LETTERS.join()}].length === 40`, 20);
    expect([answer, explored, doubts[0]?.why]).toEqual([
      "not decided",
      "up to a limit",
      "the exploration is not complete: there are more paths than 20",
    ]);
  });

  it("is refuted by the first of 2^40 paths, after which none is explored", () => {
    const { answer, doubts, paths, confirmed, explored } = answerFor(FILES, `[${LETTERS.join()}].length !== 40`);
    expect([answer, doubts, paths, confirmed, explored]).toEqual(["refuted", [], 1, 1, "up to the witness"]);
  });

  it("is explored on after a path for which it is false, but of which no input can be made", () => {
    const files = oneAttachment("export const bpf_prog_load = (prog) => (prog.insns.length === 2 ** 45 ? -1 : 0);");
    const { answer, paths, confirmed, explored } = answerFor(files, "decision.verdict === 0");
    expect([answer, paths, confirmed, explored]).toEqual(["refuted in the model", 2, 1, "all"]);
  });

  it.each([
    ["proved", "decision.verdict <= 0"],
    ["refuted", "prog.name === 'a' || prog.name === 'b'"],
  ])("that is %s has all its paths explored if no other one is false: %s", (expected, text) => {
    const { answer, paths, confirmed, explored } = answerFor(FILES, text);
    expect([answer, explored, confirmed]).toEqual([expected, "all", paths]);
    expect(paths).toBeGreaterThan(2);
  });

  it("is about the default if no attachment is in scope", { tags: ["deep"] }, () => {
    const files = oneAttachment(POLICY, "default: { bpf_prog_load: deny }");
    const scoped = files["countersign.yaml"]!.replace("policy.js }", "policy.js, scope: { uid: [5] } }");
    const own = { ...files, "countersign.yaml": scoped };
    expect(answerFor(own, "current.uid === 5 || decision.verdict === -1").answer).toBe("proved");
    expect(answerFor(own, "current.uid === 5 || decision.attachment === null").answer).toBe("proved");
    expect(
      answerFor(own, "current.uid === 5 ? decision.answers.length === 1 : decision.answers.length === 0").answer,
    ).toBe("proved");
  });
});
