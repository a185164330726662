import { describedProgram } from "../../bpf/described-program.js";
import { EFFECTS } from "../../bpf/model/facts.js";
import { json, LEARNT_MAP, learntMap, shortened } from "./learnt-map.js";
import { MADE_BY, optionsOf, type PolicyForm } from "./learnt-policy.js";
import { type Condition, isForWholeType, type LearntRule } from "./learnt-rules.js";
import { HOST, UNKNOWN_LABELS, withLabel, withoutLabel } from "./task-place.js";

/** Limits of a test: the number of cases that allow, and the characters of all of these together. */
const MAX_CASES = 500;
const MAX_TEXT = 512 * 1024;
/** The most characters of a rule that cases which deny are made of. */
const MAX_LENGTH = 16 * 1024;

/** A case as `countersign test` reads it; the values are JSON. */
type Case = Readonly<Record<string, unknown>>;

/**
 * The test of a learnt policy: cases for what it allows, and some for what it denies. A program with a given digest
 * cannot be described, so that digests are tested with one that can.
 */
export function learntTests(form: PolicyForm, rules: readonly LearntRule[]): string {
  const allowed = rules
    .filter(({ condition }) => condition.by !== "digest")
    .flatMap((rule) => placesOf(rule).map((place) => text(allowedCase(form, rule, place))));
  const kept = bounded(allowed);
  const rest = [...digestCases(form, rules), ...deniedCases(form, rules)].map(text);
  const left = allowed.length === kept.length ? "" : `\n# ${allowed.length - kept.length} more cases are left out.`;
  return `# ${MADE_BY} ${optionsOf(form)}\`.${left}\n${[...kept, ...rest].join("")}`;
}

function bounded(cases: readonly string[]): readonly string[] {
  let length = 0;
  const short = cases.filter((one) => {
    if (length + one.length > MAX_TEXT) return false;
    length += one.length;
    return true;
  });
  return short.slice(0, MAX_CASES);
}

function text(given: Case): string {
  const lines = Object.entries(given).map(([key, value]) => `${key}: ${json(value)}`);
  return `- ${lines.join("\n  ")}\n`;
}

/** Null stands for any task. */
function placesOf({ where }: LearntRule): readonly (string | null)[] {
  return where.length === 0 ? [null] : where;
}

function allowedCase(form: PolicyForm, rule: LearntRule, place: string | null): Case {
  const name = `${named(rule)}${place === null ? "" : ` at ${shortened(place)}`}`;
  return { name, ...subjectOf(form, rule), ...callerAt(form, place), expect: "allow" };
}

function named({ condition, programs }: LearntRule): string {
  return `${condition.by} of ${shortened(programs[0] ?? "")}`;
}

/** The program, and the answers of helpers, that meet the condition of a rule; or not, with `verifies: false`. */
function subjectOf({ keyrings }: PolicyForm, { condition, type }: LearntRule, verifies = true): Case {
  switch (condition.by) {
    case "digest":
      return { program: { type } };
    case "effects":
      return { program: { type, effects: effectsMap((name) => condition.effects.includes(name)) } };
    case "statement": {
      const { sha256, name, keyring } = condition;
      const answer = verifies ? 0 : null;
      const helpers = answers("statement_of", keyrings, keyring, answer, verifies);
      return { program: { type, statements: [{ sha256, name }] }, helpers };
    }
    case "signer": {
      const { signer, keyring } = condition;
      const answer = verifies ? { key_id: signer } : null;
      return {
        program: { type, statements: [{}] },
        helpers: answers("signer_of", keyrings, keyring, answer, verifies),
      };
    }
  }
}

function effectsMap(has: (name: (typeof EFFECTS)[number]) => boolean): Readonly<Record<string, boolean>> {
  return Object.fromEntries(EFFECTS.map((name) => [name, has(name)]));
}

/** The answer for one keyring, and null for those before it; if it allows nothing, also for those after it. */
function answers(
  helper: string,
  keyrings: readonly string[],
  keyring: string,
  answer: unknown,
  verifies: boolean,
): Readonly<Record<string, unknown>> {
  const asked = verifies ? keyrings.slice(0, keyrings.indexOf(keyring) + 1) : keyrings;
  return Object.fromEntries(asked.map((name) => [`${helper} ${name}`, name === keyring ? answer : null]));
}

/** The caller of a case whose task runs at a place. */
function callerAt({ label }: PolicyForm, place: string | null): Case {
  if (label === null || place === null) return {};
  if (place === HOST) return { container: null };
  if (place === UNKNOWN_LABELS) return { labels: null };
  if (place === withoutLabel(label)) return { container: { labels: {} } };
  return { labels: { [label]: place.slice(withLabel(label, "").length) } };
}

/** The type of the program in cases that need any. */
const ANY_TYPE = "kprobe";

function digestCases(form: PolicyForm, rules: readonly LearntRule[]): readonly Case[] {
  if (form.by === "effects") return [];
  const type = rules.find(({ condition }) => condition.by === "digest")?.type ?? ANY_TYPE;
  const [place] = rules.flatMap(placesOf);
  const program = { type };
  const where = place === undefined || place === null ? {} : { where: [place] };
  const maps = (of: string) => ({
    [LEARNT_MAP]: { [`digest ${of} ${digestOf(type)}`]: { ...where, programs: ["test"] } },
  });
  const caller = callerAt(form, place ?? null);
  const other = type === ANY_TYPE ? "xdp" : ANY_TYPE;
  return [
    { name: "a digest that was learnt", program, maps: maps(type), ...caller, expect: "allow" },
    { name: "the digest with another type", program, maps: maps(other), ...caller, ...DENIED },
  ];
}

const DENIED = { expect: "-EPERM", reason: "was not learnt" };

/** The digest of the program of a case that gives only its type. */
function digestOf(type: string): string {
  return describedProgram({
    ...{ name: "test", type, expected_attach_type: null, attach_to: null, section: null, license: "GPL" },
    ...{ helpers: [], kfuncs: [], maps: [], insn_cnt: undefined, returns: undefined, effects: {} },
  }).digest;
}

/** A program may have any digest, so that the map of these cases has no other entry than the one that is tested. */
function deniedCases(form: PolicyForm, rules: readonly LearntRule[]): readonly Case[] {
  if (form.by === "effects") return deniedEffects(form, rules);
  const never = { name: "a digest that was not learnt", program: { type: ANY_TYPE }, ...withOnly([]), ...DENIED };
  const stated = rules.find((rule) => isStated(rule.condition) && lengthOf(rule) <= MAX_LENGTH);
  if (stated === undefined) return [never];
  const only = withOnly([stated]);
  const [place = null] = placesOf(stated);
  const unverified = { ...subjectOf(form, stated, false), ...only, ...callerAt(form, place), ...DENIED };
  const elsewhere = placeWithout(form, stated.where);
  return [
    never,
    { name: `${named(stated)}, not verified`, ...unverified },
    ...(elsewhere === null ? [] : [{ ...deniedElsewhere(form, stated, elsewhere), ...only, ...DENIED }]),
  ];
}

/** Contents of the map that have these rules and no other. */
function withOnly(rules: readonly LearntRule[]): Case {
  return { maps: { [LEARNT_MAP]: Object.fromEntries(learntMap(rules)) } };
}

/** In characters. Names may be long, and these cases repeat them. */
function lengthOf({ condition, where }: LearntRule): number {
  return json([condition, where]).length;
}

function isStated({ by }: Condition): boolean {
  return by === "statement" || by === "signer";
}

/** A rule's program at a place where it was not seen. The keyring that knows it answers; the others are asked too. */
function deniedElsewhere(form: PolicyForm, rule: LearntRule, place: string): Case {
  const { program, helpers } = subjectOf(form, rule) as {
    program: unknown;
    helpers: Readonly<Record<string, unknown>>;
  };
  const calls = form.keyrings.map((keyring) => `${HELPER[rule.condition.by as "statement" | "signer"]} ${keyring}`);
  const answered = Object.fromEntries(calls.map((call) => [call, helpers[call] ?? null]));
  return { name: `${named(rule)}, elsewhere`, program, helpers: answered, ...callerAt(form, place) };
}

const HELPER = { statement: "statement_of", signer: "signer_of" } as const;

/** A place that is not in a list; null if places are not told apart. */
function placeWithout({ label }: PolicyForm, where: readonly string[]): string | null {
  if (label === null) return null;
  const known = [HOST, UNKNOWN_LABELS, withoutLabel(label)].find((place) => !where.includes(place));
  if (known !== undefined) return known;
  let number = 0;
  while (where.includes(withLabel(label, `unseen-${number}`))) number += 1;
  return withLabel(label, `unseen-${number}`);
}

function deniedEffects(form: PolicyForm, rules: readonly LearntRule[]): readonly Case[] {
  const reason = "was learnt";
  const types = [...new Set(rules.map(({ type }) => type))];
  const unseen = types.flatMap((type): Case[] => {
    const its = rules.filter((rule) => rule.type === type);
    if (its.some(isForWholeType)) return [];
    const effects = effectsMap(() => true);
    return [
      {
        name: `${type} with every effect`,
        program: { type, effects },
        ...callerAt(form, placesOf(its[0]!)[0] ?? null),
        expect: "-EPERM",
        reason,
      },
    ];
  });
  const other = ["xdp", ANY_TYPE, "sched_cls"].find((type) => !types.includes(type));
  const [first] = rules;
  const elsewhere = first === undefined ? null : placeWithout(form, placesAnywhere(rules, first.type));
  return [
    ...unseen,
    ...(other === undefined
      ? []
      : [{ name: `${other}, of which none was learnt`, program: { type: other }, expect: "-EPERM", reason }]),
    ...(first === undefined || elsewhere === null
      ? []
      : [
          {
            name: `${named(first)}, elsewhere`,
            ...subjectOf(form, first),
            ...callerAt(form, elsewhere),
            expect: "-EPERM",
            reason,
          },
        ]),
  ];
}

function placesAnywhere(rules: readonly LearntRule[], type: string): readonly string[] {
  return rules.filter((rule) => rule.type === type).flatMap(({ where }) => where);
}
