import { describe, expect, it } from "vitest";
import type { FactDomain } from "../../../../src/fact-type.js";
import { HOOK_NAMES, type HookName, hookRow, SUBJECT_KINDS } from "../../../../src/hooks/catalogue.js";
import { CONTAINER_DOMAINS, CURRENT_DOMAINS } from "../../../../src/policy/model/current-fields.js";
import { declarationsOf, RESULT_DOMAINS } from "../../../../src/prove/facts/declarations.js";
import { SUBJECT_DOMAINS } from "../../../../src/prove/facts/subject-domains.js";
import { proveProperty } from "../../../../src/prove/property/property-answer.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { oneAttachment, propertyOf } from "../../../support/prove-property.js";

/** An object that a property gets, as an expression that may be null or undefined, with one of its keys. */
type Given = readonly [object: string, key: string, hook: HookName];

const LIST: FactDomain = { kind: "list", of: { kind: "flag" } };

/** A fact, and those in it, that have properties with fixed names. */
function objectsIn(path: string, domain: FactDomain, hook: HookName): readonly Given[] {
  switch (domain.kind) {
    case "null or":
      return objectsIn(path, domain.of, hook);
    case "bytes":
      return [[path, "length", hook]];
    case "list":
      return [[path, "length", hook], ...objectsIn(`${path}?.[0]`, domain.of, hook)];
    case "object":
      return objectsOf(path, domain.fields, hook);
    default:
      return [];
  }
}

function objectsOf(path: string, fields: Readonly<Record<string, FactDomain>>, hook: HookName): readonly Given[] {
  const inner = Object.entries(fields).flatMap(([name, domain]) => objectsIn(`${path}?.${name}`, domain, hook));
  return [[path, Object.keys(fields)[0]!, hook], ...inner];
}

/** For each kind of subjects, a hook at which no fact is fixed. */
const SUBJECTS = Object.keys(SUBJECT_KINDS).flatMap((kind) => {
  const hook = HOOK_NAMES.find((one) => {
    return hookRow(one).subject === kind && Object.keys(declarationsOf(one).fixed).length === 0;
  })!;
  return objectsOf("subject", SUBJECT_DOMAINS[kind as keyof typeof SUBJECT_DOMAINS], hook);
});

const ROOT = "change(current, { uid: 0 })";
const OTHERS: readonly Given[] = [
  ...objectsOf("current", CURRENT_DOMAINS, "bpf_prog_load"),
  ...objectsOf(ROOT, CURRENT_DOMAINS, "bpf_prog_load"),
  ...objectsOf("signer(subject, 'platform')", RESULT_DOMAINS.signer_of!, "bpf_prog_load"),
  ...["change(current.container, { labels: null })", "change(current.container, {})"].flatMap((changed) => {
    return objectsOf(`(current.container && ${changed})`, CONTAINER_DOMAINS, "bpf_prog_load");
  }),
  ...["decision", `decide(subject, ${ROOT})`, "decide(subject, current, { mode: 'audit' })"].flatMap((one): Given[] => [
    ...["verdict", "enforced_verdict", "mode", "attachment", "reason", "fault", "answers"].map(
      (key) => [one, key, "bpf_prog_load"] as const,
    ),
    ...objectsIn(`${one}.answers`, LIST, "bpf_prog_load"),
    [`${one}.answers`, "every", "bpf_prog_load"],
    ...["attachment", "mode", "verdict", "reason", "fault"].map(
      (key) => [`${one}.answers[0]`, key, "bpf_prog_load"] as const,
    ),
  ]),
  ...["keyrings", "verified", "signer", "change", "decide"].map((key) => ["all", key, "bpf_prog_load"] as const),
  ["keyrings", "includes", "bpf_prog_load"],
];

/** Ways to read a property that `its` does not have. */
const READS: readonly ((key: string) => string)[] = [
  (key) => `its.${key} === undefined`,
  (key) => `its["${key}"] === undefined`,
  (key) => `its[NAME + "x"] === undefined && "${key}" !== ""`,
  (key) => `(({ ${key}: value = null }) => value === null)(its)`,
  (key) => `its?.${key} !== 0`,
  (key) => `typeof its.${key} !== "function" || its.${key}(fail()) !== 0`,
];

/** The answer for a property, or the words with which it is rejected. */
function answerFor([object, key, hook]: Given, condition: string): string {
  const files = oneAttachment(`import { deny } from "countersign"; export const ${hook} = () => deny("never");`);
  const text = `const NAME = ${JSON.stringify(key)};
const fail = () => { throw new RangeError("an argument"); };
export const property = (subject, current, decision, all) => {
  const { verified, signer, change, decide, keyrings } = all;
  const its = ${object};
  if (its === null || its === undefined) return true;
  return ${condition};
};`;
  return withPolicies(files, (policies) => {
    try {
      return proveProperty(policies, hook, propertyOf(text), { paths: 2_000, timeout: 60_000 }).answer;
    } catch (error) {
      const { code, place, message } = error as { code: string; place: string; message: string };
      return `${code} ${place} ${message}`;
    }
  });
}

describe("a property that misspells a key of an object that it gets", () => {
  const all = [...SUBJECTS, ...OTHERS];

  it.each(all)("%s: is rejected with the line and the key `%s`", (...given) => {
    const key = `${given[1]}x`;
    const read = READS[all.findIndex(([object, name]) => object === given[0] && name === given[1]) % READS.length]!;
    const says = `it fails: read the fact \`${key}\`, which does not exist (did you mean \`${given[1]}\`?)`;
    expect(answerFor(given, read(key))).toBe(`PROPERTY_INVALID property.js:7 \`property\`: ${says}`);
  });

  it.each(READS.map((read) => [String(read), read] as const))("is rejected in each way to read it: %s", (_, read) => {
    for (const given of [["decision", "verdict", "bpf_prog_load"], OTHERS[0]!] as const)
      expect(answerFor(given, read(`${given[1]}x`))).toContain(`(did you mean \`${given[1]}\`?)`);
  });

  it.each(all)("%s: can be asked with `in` whether it has a key like `%s`", (...given) => {
    expect(answerFor(given, `!("${given[1]}x" in its)`)).toBe("proved");
  });

  it("is rejected too if it catches the error", () => {
    const caught = "(() => { try { return its.verdit === 0; } catch { return true; } })()";
    expect(answerFor(["decision", "verdict", "bpf_prog_load"], caught)).toContain("read the fact `verdit`");
  });
});
