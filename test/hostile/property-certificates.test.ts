// @module-tag deep
import { afterAll, describe, expect, it } from "vitest";
import type { PropertySource } from "../../src/prove/explorer/rewritten-policy.js";
import type { TableCertificate } from "../../src/prove/shared/certificate.js";
import { CertifiedFolder } from "../support/certificates.js";

const POLICY = `import { deny, map_lookup, verify_program } from "countersign";
export const bpf_prog_load = (prog, { uid }) => {
  if (uid === 0 && prog.effects.read_only) return 0;
  const verdict = verify_program(prog, "platform");
  if (verdict !== 0) return deny("not signed", -verdict);
  return prog.type === "lsm" && map_lookup("container_policy", "lsm").open !== true ? -13 : 0;
};
`;
const TEXT = `import { verify_program } from "countersign";
const reads = ({ effects }) => !effects.read_only;
export const nothing_unsigned = (prog, current, decision, { verified }) =>
  verified(prog) || (current.uid === 0 && !reads(prog)) || decision.verdict !== 0;
export const never_faults = (prog, current, { answers }) => answers.every(({ fault }) => fault === null);
export const denies_lsm = (prog, current, { enforced_verdict, attachment, fault }) =>
  prog.type !== "lsm" || (enforced_verdict !== 0 && attachment === "guard" && fault === null);
export const by_guard = (prog, current, decision) => decision.verdict === 0 || decision.attachment === "guard";
export const signed_by_someone = (prog, current, decision, { signer, keyrings }) =>
  decision.verdict !== 0 || keyrings.some((name) => signer(prog, name) !== null) || current.uid === 0;
export const decides_alike = (prog, current, decision, { decide }) => {
  const audit = decide(prog, current, { mode: "audit" });
  const same = decide(prog, current);
  return audit.verdict === 0 && audit.attachment === decision.attachment && same.verdict === decision.verdict;
};
`;
const NAMES = ["nothing_unsigned", "never_faults", "denies_lsm", "by_guard", "signed_by_someone", "decides_alike"];
const ANSWERS = ["proved", "refuted", "refuted", "proved", "proved", "proved"];

const propertiesOf = (text: string): PropertySource[] =>
  NAMES.map((name) => ({ file: "properties.js", files: { read: () => text, root: "." }, name }));
const folderOf = (policy: string, mode = "enforce") =>
  new CertifiedFolder("guard.js", policy, { attachments: `[{ policy: guard.js, mode: ${mode} }]`, default: "deny" });

const properties = propertiesOf(TEXT);
const folder = folderOf(POLICY);
const certificate = folder.prove(properties);
const json = JSON.stringify(certificate);
afterAll(() => folder.remove());

it("properties that hold or not are certified with the answer", () => {
  const checked = folder.check(json, properties);
  expect(checked.map((one) => ("property" in one ? [one.property, one.answer] : []))).toEqual(
    NAMES.map((name, index) => [name, ANSWERS[index]]),
  );
  for (const { failing, answer } of checked as { failing: number; answer: string }[])
    expect(failing > 0).toBe(answer === "refuted");
});

type Json = Record<string, unknown>;

/** All objects in a value that have a property. */
function* having(value: unknown, property: string): Generator<Json> {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, property)) yield value as Json;
  for (const one of Object.values(value)) yield* having(one, property);
}

const ANY_WRONG = /^PROOF_(?:TREE|ANSWER|WITNESS|REFUTATION)_WRONG$/;

/** Changes of all objects that have a property, each by itself; and the codes that reject them. */
const DAMAGES: Readonly<Record<string, readonly [at: string, code: RegExp, change: (value: Json) => unknown]>> = {
  "another answer": [
    "answer",
    /^PROOF_ANSWER_WRONG$/,
    (value) => (value.answer = value.answer === "proved" ? "refuted" : "proved"),
  ],
  "an answer that is none": ["answer", /^PROOF_MALFORMED$/, (value) => (value.answer = "not decided")],
  "another text": ["answer", /^PROOF_OUTDATED$/, (value) => (value.text = "0".repeat(64))],
  "another property": ["answer", /^PROOF_OUTDATED$/, (value) => (value.property = "other")],
  "the name of another property": [
    "answer",
    /^PROOF_OUTDATED$/,
    (value) => (value.property = value.property === "by_guard" ? "never_faults" : "by_guard"),
  ],
  "another hook": ["answer", /^PROOF_OUTDATED$/, (value) => (value.hook = "bpf_prog")],
  "another default": ["answer", /^PROOF_OUTDATED$/, (value) => (value.default = "allow")],
  "another mode": ["answer", /^PROOF_OUTDATED$/, (value) => (value.mode = "audit")],
  "a dropped attachment": ["answer", /^PROOF_OUTDATED$/, (value) => (value.attachments = [])],
  "an attachment in another mode": ["on_fault", /^PROOF_OUTDATED$/, (value) => (value.mode = "audit")],
  "an attachment with another scope": ["on_fault", /^PROOF_OUTDATED$/, (value) => (value.scope = { uid: [[0, 0]] })],
  "an end that is the other": ["holds", /^PROOF_ANSWER_WRONG$/, (value) => (value.holds = !value.holds)],
  "an end that is a verdict": ["end", /^PROOF_ANSWER_WRONG$/, (value) => (value.end = { verdict: 0 })],
  "an end with a line": ["end", /^PROOF_ANSWER_WRONG$/, (value) => (value.line = "properties.js:3")],
  "exchanged sides": ["if", ANY_WRONG, (value) => ([value.yes, value.no] = [value.no, value.yes])],
  "a path that is left out": ["if", /^PROOF_REFUTATION_WRONG$/, (value) => (value.yes = { refuted: { set: [] } })],
  "a forged refutation": [
    "refuted",
    /^PROOF_REFUTATION_WRONG$/,
    (value) => (value.refuted = { farkas: [{ times: "1", condition: 0 }] }),
  ],
};

/** At most this many places are damaged in one way. */
const MOST_PLACES = 5;
let rejected = 0;
const codeOf = (damaged: string, its: CertifiedFolder, known: readonly PropertySource[]): string => {
  try {
    its.check(damaged, known);
    return "accepted";
  } catch (error) {
    rejected += 1;
    return (error as { code: string }).code;
  }
};

describe.each(Object.entries(DAMAGES))("%s", (_, [at, code, change]) => {
  it("is rejected wherever it is", () => {
    const count = [...having(JSON.parse(json), at)].length;
    expect(count).toBeGreaterThan(0);
    for (let index = 0; index < count; index += Math.ceil(count / MOST_PLACES)) {
      const damaged: unknown = JSON.parse(json);
      change([...having(damaged, at)][index]!);
      if (JSON.stringify(damaged) !== json)
        expect([index, codeOf(JSON.stringify(damaged), folder, properties)]).toEqual([
          index,
          expect.stringMatching(code),
        ]);
    }
  });
});

/** Other texts of the properties, for each the one that is another. */
const TEXTS: Readonly<Record<string, readonly [name: string, from: string, to: string]>> = {
  "another condition": ["nothing_unsigned", "current.uid === 0 && !reads", "current.uid === 1 && !reads"],
  "another helper": ["nothing_unsigned", "verified(prog) ||", "!verified(prog) ||"],
  "another function of the file": ["nothing_unsigned", "!effects.read_only", "effects.read_only"],
  "another comparison": ["never_faults", "fault === null)", "fault !== null)"],
  "another attachment": ["by_guard", 'decision.attachment === "guard"', 'decision.attachment === "gate"'],
  "a decision in another mode": ["decides_alike", 'mode: "audit"', 'mode: "enforce"'],
  "a decision in the mode of the configuration": ["decides_alike", ', { mode: "audit" }', ""],
  "a decision of which another part counts": ["decides_alike", "audit.verdict === 0", "audit.enforced_verdict === 0"],
  "another verdict": ["denies_lsm", "enforced_verdict !== 0", "enforced_verdict === 0"],
};

/** A certificate that says it is about other properties or another configuration, with the trees of this one. */
function forged(names: readonly string[], other: TableCertificate): TableCertificate {
  const tables = other.tables.map((table, index) => ({ ...table, tree: certificate.tables[index]!.tree }));
  return { ...other, tables: tables.filter((_, index) => names.includes(NAMES[index]!)) };
}

describe.each(Object.entries(TEXTS))("a text with %s", (_, [name, from, to]) => {
  it("is not what was proved: the certificate is rejected, and so is one that says it is about this text", () => {
    const other = propertiesOf(TEXT.replace(from, to));
    expect(codeOf(json, folder, other)).toBe("PROOF_OUTDATED");
    expect(codeOf(JSON.stringify(forged([name], folder.prove(other))), folder, other)).toMatch(ANY_WRONG);
  });
});

const CONFIGURATIONS: Readonly<Record<string, CertifiedFolder>> = {
  "whose attachment is in audit": folderOf(POLICY, "audit"),
  "whose policy allows more": folderOf(POLICY.replace("uid === 0", "uid === 7")),
};

describe.each(Object.entries(CONFIGURATIONS))("a configuration %s", (_, other) => {
  it("has not these properties", () => {
    expect(codeOf(json, other, properties)).toBe("PROOF_OUTDATED");
    const its = forged(["nothing_unsigned"], other.prove(properties));
    expect(codeOf(JSON.stringify(its), other, properties)).toMatch(ANY_WRONG);
    other.remove();
  });
});

it("damaged certificates of properties were rejected", () => {
  console.info(`${rejected} damaged certificates of properties were rejected`);
  expect(rejected).toBeGreaterThan(80);
});
