// @module-tag deep
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a property has a template
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { seedOf } from "../support/damage.js";
import { withPolicies } from "../support/prove-configuration.js";
import { answerFor, flawOf, oneAttachment } from "../support/prove-property.js";

const seed = seedOf();
const FILES = oneAttachment(
  'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => (prog.effects.redirects ? deny("no") : 0);',
);

/** Properties that cannot be used, with the words of the error. */
const INVALID: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ["no function", "export const property = 5;", /it is no function/],
  ["an object", "export const property = { call: () => true };", /it is no function/],
  ["a number", "1", /it returns no boolean/],
  ["nothing", "undefined", /it returns no boolean/],
  ["a text in some cases", "prog.effects.redirects ? decision.reason : true", /it returns no boolean/],
  ["an error", "(() => { throw new Error('no') })()", /it fails/],
  ["the labels of no container", "current.container.labels === null", /it fails/],
  ["a name that is no keyring", "verified(prog, 'nothing')", /it fails/],
  ["a change of null", "decide(prog, change(null, {})).verdict === 0", /it fails/],
  ["a fact that does not exist", "export const property = (prog) => prog['na' + 'mes'] === ''", /it fails/],
];

/** Properties that try to be proved though they are not true: as the engine decides, or not decided. */
const DECEITFUL: readonly string[] = [
  "Object.is(decision, {})",
  "decision === decision && Object.getPrototypeOf(decision) === Object.prototype",
  "decision instanceof Object",
  "Object.keys(decision).length === 7",
  "JSON.stringify(decision).length < 10",
  "'constructor' in decision",
  "decision.constructor === Object",
  "decision.hasOwnProperty('verdict')",
  "decision.toString() === '[object Object]'",
  "Object.isFrozen(decision) || decision.verdict === 0",
  "typeof decision === 'object' && typeof decision.verdict === 'number'",
  "(decision.verdict = 0, decision.verdict === 0)",
  "(() => { try { decision.verdict = 0 } catch {} return decision.verdict === 0 })()",
  "`${decision.verdict}` === '0'",
  "decision.verdict < 1 && decision.verdict + 1 > 0",
  "decision.nothing === undefined",
  "(() => { try { return decision.nothing === 1 } catch { return true } })()",
  "(() => { try { return current.container.labels === null } catch { return true } })()",
  "decision.answers === decision.answers",
  "decision.answers.push(1) === 2 && decision.answers.length === 1",
  "(() => { for (;;) { try { decision.nothing } catch {} } })()",
  "(() => { const f = (n) => (n === 0 ? true : f(n - 1)); return f(100000) })()",
  "decide(prog, current) === decision",
  "decide(prog, prog).verdict === 0",
  "decide(prog, {}).verdict === 0",
  "decide(prog, decision).verdict === 0",
  "change(current, { uid: -1 }).uid === -1",
  "change(current, { uid: 'root' }).uid === 'root'",
  "change(current, { container: current }).container === null",
  "change(decision, { verdict: 0 }).verdict === 0",
  "change(current, { __proto__: { uid: 7 } }).uid === 7",
  "change(current, { comm: 'a' }).comm === 'a' && Object.keys(change(current, {})).length === 11",
  "decide(prog, change(current, { get uid() { return 0 } })).verdict === 0",
  "verified === verified && verified.name === 'verified'",
  "verified(prog) === verified(prog, 'platform')",
  "verified({}) || true",
  "[1, 2, 3, 4, 5].every(() => decide(prog, current).verdict === decision.verdict)",
  "new Boolean(true)",
  "prog.maps.every((map) => decision.verdict === 0 || map.memory < 5)",
  "prog.maps.every((map) => map.memory <= 4096 || decision.verdict === 0)",
  "prog.maps.some(() => decide(prog, change(current, { uid: 0 })).verdict === 0)",
  "(() => { let seen = true; for (const map of prog.maps) seen = decision.verdict === 0; return seen })()",
  "decision.verdict !== 0 || prog.helpers.every((helper) => helper.name !== 'probe_read')",
  "decision.answers[0] === decision.answers[0]",
  "keyrings.length === 1 && keyrings[0] === 'platform'",
];

describe(`properties that cannot be used (seed ${seed})`, () => {
  it.each(INVALID)("%s: PROPERTY_INVALID", (_, text, message) => {
    const failed = () => answerFor(FILES, text);
    expect(failed).toThrow(CountersignError);
    expect(failed).toThrow(message);
    expect(failed).toThrow(expect.objectContaining({ code: "PROPERTY_INVALID" }));
  });

  it("a file that does not parse: POLICY_SYNTAX", () => {
    expect(() => answerFor(FILES, "export const property = (")).toThrow(
      expect.objectContaining({ code: "POLICY_SYNTAX" }),
    );
  });

  it("a policy that does not compile: POLICY_SYNTAX", () => {
    expect(() => answerFor(oneAttachment("export const bpf_prog_load = ("), "true")).toThrow(
      expect.objectContaining({ code: "POLICY_SYNTAX" }),
    );
  });

  it("a policy with a map that is not configured: POLICY_UNKNOWN_NAME", () => {
    const text =
      'import { map_lookup } from "countersign";\nexport const bpf_prog_load = (prog) => map_lookup("none", prog.name) ?? 0;';
    expect(() => answerFor(oneAttachment(text), "true")).toThrow(
      expect.objectContaining({ code: "POLICY_UNKNOWN_NAME" }),
    );
  });

  it.each(["map_update", "map_delete"])("a property that calls %s is not decided", (helper) => {
    const text = `import { ${helper} } from "countersign";
      export const property = (prog) => { ${helper}("m", "a", 1); return true; };`;
    const files = oneAttachment(
      "export const bpf_prog_load = () => 0;",
      "maps: { m: { writable: { entries: 10, bytes: 1KiB } } }",
    );
    expect(answerFor(files, text)).toMatchObject({
      answer: "not decided",
      doubts: [{ why: "a write to a map", place: "property.js:2" }],
    });
  });

  it("2^40 paths end at the limit", () => {
    const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"].map((one) => `prog.name.includes("${one}")`);
    expect(answerFor(FILES, `[${letters.join()}].every((one) => one || true)`, 30).answer).toBe("not decided");
  });

  it.each(DECEITFUL)("%s is as for the engine, or not decided", (text) => {
    try {
      const { answer, doubts } = answerFor(FILES, text, 200);
      const wrong = doubts.filter(({ contradicted }) => contradicted);
      expect([answer, wrong]).toEqual([expect.any(String), []]);
    } catch (error) {
      expect((error as CountersignError).code).toBe("PROPERTY_INVALID");
      return;
    }
    expect(withPolicies(FILES, (policies) => flawOf(policies, text, seed, 40))).toBeNull();
  });
});
