// @module-tag deep
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { CertifiedFolder, SHIPPED } from "../support/certificates.js";

const UNCERTIFIED = ["hash-allow-list.js", "program-budget.ts"];

type Json = Record<string, unknown>;
/** A node of a certificate's JSON, with the object that has it. */
interface Found {
  readonly holder: Json;
  readonly key: string;
  readonly value: Json;
}

/** All objects in a value that have a property. */
function* having(value: unknown, property: string, holder: Json = {}, key = ""): Generator<Found> {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, property)) yield { holder, key, value: value as Json };
  for (const [name, one] of Object.entries(value)) yield* having(one, property, value as Json, name);
}

const isRefuted = (value: unknown) => typeof value === "object" && value !== null && "refuted" in value;

/** Changes something of a certificate wherever it is found; the certificates with one such change are the results. */
type Damage = (found: Found, other: Found) => void;
interface Row {
  /** The property that the changed objects have. */
  readonly at: string;
  readonly code: readonly string[];
  readonly change: Damage;
  readonly when?: (found: Found) => boolean;
}

const atomOf = (found: Found) => found.value.if as Json;
const endOf = (found: Found) => found.value.end as Json;
const witnessOf = (found: Found) => found.value.witness as Json;
const subjectOf = (found: Found) => witnessOf(found).subject as Json;

/** The kinds of damage, with the codes that reject it. */
const DAMAGES: Readonly<Record<string, Row>> = {
  "a dropped path: the branch is one of its sides": {
    at: "if",
    code: ["PROOF_TREE_WRONG", "PROOF_MALFORMED"],
    change: ({ holder, key, value }) => (holder[key] = isRefuted(value.yes) ? value.no : value.yes),
  },
  "a dropped side": { at: "if", code: ["PROOF_MALFORMED"], change: ({ value }) => delete value.no },
  "a path that is left out by a refutation of nothing": {
    at: "if",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.yes = { refuted: { farkas: [] } }),
  },
  "a path that is left out by a clash of a condition with itself": {
    at: "if",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.no = { refuted: { clash: [0, 0] } }),
  },
  "sides that are exchanged": {
    at: "if",
    code: ["PROOF_TREE_WRONG", "PROOF_ANSWER_WRONG", "PROOF_WITNESS_WRONG", "PROOF_REFUTATION_WRONG"],
    change: ({ value }) => ([value.yes, value.no] = [value.no, value.yes]),
  },
  "overlapping conditions: both sides are the same": {
    at: "if",
    code: ["PROOF_TREE_WRONG", "PROOF_ANSWER_WRONG", "PROOF_WITNESS_WRONG", "PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.no = value.yes),
  },
  "overlapping conditions: the same branch twice": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    change: ({ value }) => (value.no = { ...value }),
  },
  "a condition about another symbol": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => "of" in atomOf(found),
    change: (found) => (atomOf(found).of = "prog.effects.network"),
  },
  "a narrowed condition: a longer text": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => "text" in atomOf(found),
    change: (found) => (atomOf(found).text = `${atomOf(found).text}x`),
  },
  "a widened condition: a text that begins so": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => atomOf(found).kind === "equals",
    change: (found) => (atomOf(found).kind = "starts"),
  },
  "a widened condition: at most 0, not 0": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => atomOf(found).is === "= 0",
    change: (found) => (atomOf(found).is = "<= 0"),
  },
  "a narrowed condition: another constant": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => atomOf(found).kind === "number",
    change: (found) => ((atomOf(found).term as Json).constant = "7"),
  },
  "a widened condition: more types": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    when: (found) => atomOf(found).kind === "type",
    change: (found) => (atomOf(found).among as string[]).push("object"),
  },
  "a condition with one more property": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    change: (found) => (atomOf(found).comment = "true"),
  },
  "a changed verdict": {
    at: "end",
    code: ["PROOF_ANSWER_WRONG"],
    change: (found) => (endOf(found).verdict = endOf(found).verdict === 0 ? -1 : 0),
  },
  "a changed reason": {
    at: "end",
    code: ["PROOF_ANSWER_WRONG"],
    change: (found) => (endOf(found).reason = ["all is well"]),
  },
  "a fault in place of a verdict": {
    at: "end",
    code: ["PROOF_ANSWER_WRONG"],
    change: ({ value }) => (value.end = { fault: "OUT_OF_STEPS" }),
  },
  "a changed line": { at: "end", code: ["PROOF_ANSWER_WRONG"], change: ({ value }) => (value.line = "policy.js:1") },
  "an end in place of a branch": {
    at: "if",
    code: ["PROOF_TREE_WRONG"],
    change: ({ holder, key }, other) => (holder[key] = other.value),
  },
  "the witness of another path": {
    at: "end",
    code: ["PROOF_WITNESS_WRONG"],
    when: (found) => endOf(found) !== undefined,
    change: ({ value }, other) => (value.witness = other.value.witness),
  },
  "a witness without a fact": {
    at: "witness",
    code: ["PROOF_WITNESS_WRONG"],
    change: (found) => delete subjectOf(found).name,
  },
  "a witness with a fact that is not in its domain": {
    at: "witness",
    code: ["PROOF_WITNESS_WRONG"],
    change: (found) => (subjectOf(found).digest = 7),
  },
  "a witness with a caller that cannot be": {
    at: "witness",
    code: ["PROOF_WITNESS_WRONG"],
    change: (found) => ((witnessOf(found).current as Json).uid = -1),
  },
  "a witness that breaks a constraint between facts": {
    at: "witness",
    code: ["PROOF_WITNESS_WRONG"],
    when: (found) => "tag" in subjectOf(found),
    change: (found) => (subjectOf(found).tag = "f".repeat(16)),
  },
  "a witness whose verifications give what none gives": {
    at: "witness",
    code: ["PROOF_WITNESS_WRONG"],
    when: (found) => Object.keys(witnessOf(found).answers as Json).some((call) => call.startsWith("verify_")),
    change(found) {
      const answers = witnessOf(found).answers as Json;
      for (const call of Object.keys(answers)) if (call.startsWith("verify_")) answers[call] = 1;
    },
  },
  "a multiple that is forged": {
    at: "farkas",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => ((value.farkas as Json[])[0]!.times = "-3"),
  },
  "a refutation that lacks a row": {
    at: "farkas",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.farkas as Json[]).pop(),
  },
  "a refutation by another condition": {
    at: "condition",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.condition = 0),
  },
  "a smaller domain: another upper bound": {
    at: "most",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.most = "-1"),
  },
  "a smaller domain: another lower bound": {
    at: "least",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.least = "-1"),
  },
  "a bound of a symbol that does not exist": {
    at: "symbol",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.symbol = "verify_program"),
  },
  "a split of another condition": {
    at: "split",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.split = 0),
  },
  "a refutation of another form": {
    at: "refuted",
    code: ["PROOF_REFUTATION_WRONG"],
    change: ({ value }) => (value.refuted = { set: [0] }),
  },
  "a refutation in no form": {
    at: "refuted",
    code: ["PROOF_MALFORMED"],
    change: ({ value }) => (value.refuted = true),
  },
  "a dropped attachment": {
    at: "attachments",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.attachments as Json[]).pop(),
  },
  "an attachment twice": {
    at: "attachments",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.attachments as Json[]).push((value.attachments as Json[])[0]!),
  },
  "another mode of an attachment": {
    at: "on_fault",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.mode = "audit"),
  },
  "another scope": {
    at: "on_fault",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.scope = { container: true }),
  },
  "a fault that allows": {
    at: "on_fault",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.on_fault = "allow"),
  },
  "another default": { at: "default", code: ["PROOF_OUTDATED"], change: ({ value }) => (value.default = "deny") },
  "another mode of the configuration": {
    at: "default",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.mode = "audit"),
  },
  "a denial by another attachment": {
    at: "by",
    code: ["PROOF_ANSWER_WRONG"],
    change: ({ value }) => (value.by = value.by === null ? "other" : null),
  },
  "a decision without an attachment that it names": {
    at: "by",
    code: ["PROOF_ANSWER_WRONG"],
    change: ({ value }) => delete value.by,
  },
  "another digest of the policy": {
    at: "policy",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.policy = "0".repeat(64)),
  },
  "another attachment": { at: "policy", code: ["PROOF_OUTDATED"], change: ({ value }) => (value.attachment = "other") },
  "another hook": { at: "policy", code: ["PROOF_OUTDATED"], change: ({ value }) => (value.hook = "bpf_map") },
  "a hook that does not exist": { at: "tree", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.hook = "x") },
  "a table of a configuration that names an attachment": {
    at: "default",
    code: ["PROOF_MALFORMED"],
    change: ({ value }) => (value.attachment = "other"),
  },
  "other contents of maps": { at: "version", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.maps = "files") },
  "no tables": { at: "tables", code: ["PROOF_OUTDATED"], change: ({ value }) => (value.tables = []) },
  "a table twice": {
    at: "tables",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.tables as unknown[]).push((value.tables as unknown[])[0]),
  },
  "another configuration": {
    at: "engine",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.configuration = "1".repeat(64)),
  },
  "other declarations": {
    at: "engine",
    code: ["PROOF_OUTDATED"],
    change: ({ value }) => (value.declarations = "1".repeat(64)),
  },
  "another engine": { at: "engine", code: ["PROOF_OUTDATED"], change: ({ value }) => (value.engine = "1".repeat(64)) },
  "a digest that is none": { at: "engine", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.engine = "") },
  "another version of the format": {
    at: "version",
    code: ["PROOF_MALFORMED"],
    change: ({ value }) => (value.version = 1),
  },
  "a tree that is a text": { at: "tree", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.tree = "allow") },
  "a condition that is a text": { at: "if", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.if = "true") },
  "a line that is a number": { at: "line", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.line = 5) },
  "a witness that is null": { at: "end", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.witness = null) },
  "an end that is a list": { at: "end", code: ["PROOF_MALFORMED"], change: ({ value }) => (value.end = []) },
};

/** At most this many places of one certificate are damaged in one way. */
const MOST_PLACES = 2;
let rejected = 0;

describe.each(SHIPPED.filter((name) => !UNCERTIFIED.includes(name)))("damaged certificates of %s", (name) => {
  const folder = CertifiedFolder.shipped(name);
  let json = "";
  beforeAll(() => {
    json = JSON.stringify(folder.make());
    expect(folder.check(json)).toHaveLength(2);
  });
  afterAll(() => folder.remove());

  /** The code with which a certificate is rejected; null if it passes. */
  const codeOf = (damaged: string): string | null => {
    try {
      folder.check(damaged);
      return null;
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      rejected += 1;
      return error.code;
    }
  };

  it.each(Object.entries(DAMAGES))("%s: rejected", (_, { at, code, change, when = () => true }) => {
    const places = () => {
      const certificate: unknown = JSON.parse(json);
      const wrapped = { certificate };
      return { wrapped, found: [...having(certificate, at, wrapped, "certificate")].filter(when) };
    };
    const count = places().found.length;
    const step = Math.max(1, Math.ceil(count / MOST_PLACES));
    for (let index = 0; index < count; index += step) {
      const { wrapped, found } = places();
      const ends = [...having(wrapped, "end")];
      const one = found[index]!;
      // A witness of a path that ends otherwise, or any other end
      const other = ends.find(({ value }) => value !== one.value && !shares(value, one.value)) ?? ends[0]!;
      change(one, other);
      const damaged = JSON.stringify(wrapped.certificate);
      if (damaged !== json) expect([code, index, codeOf(damaged)]).toEqual([code, index, expect.toBeOneOf([...code])]);
    }
  });

  it("cut JSON: rejected at every length", () => {
    for (let part = 0; part < 20; part++)
      expect(codeOf(json.slice(0, Math.floor((json.length * part) / 20)))).toBe("PROOF_MALFORMED");
    for (const text of ["null", "[]", "{}", "7", '"certificate"', `${json}x`, "[".repeat(100_000), `[${json}]`])
      expect(codeOf(text)).toBe("PROOF_MALFORMED");
  });

  it("another policy: rejected", () => {
    const other = new CertifiedFolder(name, "export const bpf_prog_load = () => 0;\n");
    try {
      const changed = { ...JSON.parse(json), digests: { ...other.make().digests } };
      expect(() => other.check(JSON.stringify(changed))).toThrow(expect.objectContaining({ code: "PROOF_OUTDATED" }));
    } finally {
      other.remove();
    }
  });
});

/** Whether two paths have the same witness. */
function shares(one: Json, other: Json): boolean {
  return JSON.stringify(one.witness) === JSON.stringify(other.witness);
}

it("more than 100 damaged certificates were rejected", () => {
  console.info(`${rejected} damaged certificates were rejected`);
  expect(rejected).toBeGreaterThan(500);
});
