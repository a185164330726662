/**
 * Compares the facts of one operation as different ways of asking have them, by what the tables of facts say: see
 * src/known-fact.ts.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { COMMAND_FIELDS, TARGET_FIELDS } from "../../src/bpf/model/command-fields.js";
import { DESCRIBED, type DescribedSubject } from "../../src/config/case-subject.js";
import { readRequest } from "../../src/config/request.js";
import { SUBJECT_FIELDS } from "../../src/config/subject-fields.js";
import type { HookName, SubjectKind } from "../../src/hooks/catalogue.js";
import type { Known, SubjectField, SubjectFields, Way } from "../../src/known-fact.js";
import { describedQuestion } from "../../src/workbench/testing/case-subjects.js";

type Facts = Readonly<Record<string, unknown>>;

/** The facts that policies see, with a digest in the place of bytes, as a log of level `inputs` has them. */
export function plainFacts(kind: SubjectKind, subject: object): Facts {
  const fields = SUBJECT_FIELDS[kind] as SubjectFields;
  const seen = Object.keys(fields).filter((name) => fields[name]!.withheld !== true && name in subject);
  return Object.fromEntries(seen.map((name) => [name, plain((subject as Facts)[name])]));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { sha256: hash("sha256", value), length: value.length };
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

interface Line {
  readonly type: string;
  readonly digest: string;
  readonly content: { readonly facts: Facts };
  readonly hook: HookName;
  readonly subject: { readonly definition: string };
  readonly loader_probe?: unknown;
}

/**
 * The subjects that policies were asked about at some hooks, in order, by the lines of a log of level `inputs`. What
 * the gate itself denies has no facts.
 */
export function askedAbout(
  records: readonly object[],
  hooks: readonly HookName[],
): readonly { readonly hook: HookName; readonly facts: Facts }[] {
  const lines = records as readonly Line[];
  const facts = new Map(
    lines.flatMap(({ type, digest, content }) => (type === "subject" ? [[digest, content.facts]] : [])),
  );
  return lines.flatMap(({ type, hook, subject, loader_probe }) => {
    const isMeant = type === "decision" && hooks.includes(hook) && loader_probe === undefined;
    const found = isMeant ? facts.get(subject.definition) : undefined;
    return found === undefined ? [] : [{ hook, facts: found }];
  });
}

/** Tables whose rows say which subjects have the fact (`of`), each with the fact by which a subject is one of those. */
const OWNED = [
  { path: "command", fields: COMMAND_FIELDS, owner: "name" },
  { path: "command.attach.target", fields: TARGET_FIELDS, owner: "kind" },
] as const;

/**
 * What only kernels with BPF trampolines and multi-probes have: test/system/guest/tracers.test.ts compares it, and
 * test/system/gate/known-facts.test.ts all else.
 */
export const NEEDS_TRACING: readonly string[] = [
  "command.attach.target.name of map",
  "command.attach.target.name of function",
  "command.attach.target.name of iterator",
  "command.attach.target.program of function",
  "command.attach.target.btf_id of function",
];

/** Which facts were compared in which way, so that a test can ask whether a fact was never compared. */
export class KnownFacts {
  /** The facts that had the same value, were null, or were unknown as their rows say, by way and kind. */
  readonly compared = new Map<string, number>();
  /** How many subjects were compared, by way and kind: `offline program`. */
  readonly subjects = new Map<string, number>();
  readonly #owned = new Set<string>();

  /**
   * What of a subject is otherwise than its table says, one line for each: `asked` are the facts in one way of asking,
   * `real` those of the operation in a gate. `unsure` are the facts that may differ for a reason that holds for this
   * subject; all of them if it is absent. A fact that is null in a gate says nothing about the other way.
   */
  differences(kind: SubjectKind, way: Way, asked: Facts, real: Facts, unsure?: readonly string[]): readonly string[] {
    this.subjects.set(`${way} ${kind}`, (this.subjects.get(`${way} ${kind}`) ?? 0) + 1);
    const fields: SubjectFields = SUBJECT_FIELDS[kind];
    const sure = Object.keys(fields).filter((name) => {
      const how = fields[name]!.known[way];
      if (fields[name]!.withheld === true) return false;
      const isSure = typeof how === "object" && "differs" in how && unsure?.includes(name) === false;
      return isSure && !isUnlike(fields[name]!.known.gate) && !isDeepStrictEqual(asked[name], real[name]);
    });
    return [
      ...this.#differences(fields, way, asked, real, kind),
      ...sure.map((name) => `${kind}.${name} differs for no reason: ${JSON.stringify([asked[name], real[name]])}`),
    ];
  }

  /** The facts of a kind that were never compared in a way, though their rows say how they are known. */
  neverCompared(kind: SubjectKind, way: Way): readonly string[] {
    const fields = SUBJECT_FIELDS[kind] as SubjectFields;
    return Object.keys(fields).filter((name) => {
      const { known, withheld } = fields[name]!;
      return withheld !== true && known[way] !== "not asked" && !this.compared.has(`${way} ${kind}.${name}`);
    });
  }

  /** The facts that commands and targets have by their tables, but had in no case: `command.path of BPF_OBJ_PIN`. */
  ownedWithoutCase(): readonly string[] {
    return OWNED.flatMap(({ path, fields }) =>
      Object.entries(fields).flatMap(([name, { of }]) => {
        const owners: readonly string[] = of === "all" ? [] : of;
        return owners.map((one) => `${path}.${name} of ${one}`).filter((one) => !this.#owned.has(one));
      }),
    );
  }

  /** How many subjects were compared, as a line for each way and kind. */
  counts(): string {
    return [...this.subjects].map(([what, count]) => `${what}: ${count} compared`).join("\n");
  }

  #differences(fields: SubjectFields, way: Way, asked: Facts, real: Facts, path: string): readonly string[] {
    const owned = OWNED.find((table) => table.fields === fields);
    for (const name of owned === undefined ? [] : Object.keys(fields))
      if (real[name] !== null) this.#owned.add(`${path}.${name} of ${real[owned!.owner]}`);
    return Object.entries(fields).flatMap(([name, field]) =>
      field.withheld ? [] : this.#compare(field, way, asked, real, name, `${path}.${name}`),
    );
  }

  #compare(field: SubjectField, way: Way, asked: Facts, real: Facts, name: string, path: string): readonly string[] {
    const how = field.known[way];
    this.compared.set(`${way} ${path}`, (this.compared.get(`${way} ${path}`) ?? 0) + 1);
    if (field.known.gate === "null" && real[name] !== null) return [`${path} is not null in a gate`];
    if (how === "null" && asked[name] !== null) return [`${path} is not null ${way}`];
    if (isUnlike(field.known.gate)) return [];
    const table = field.type.fields as SubjectFields | undefined;
    if (how === "yes" && table !== undefined) return this.#within(table, way, asked[name], real[name], path);
    return isAs(how, asked, real, name)
      ? []
      : [`${path} is ${JSON.stringify(asked[name])} ${way}, ${JSON.stringify(real[name])} in a gate`];
  }

  /** Compares an object of facts, or each of a list. */
  #within(fields: SubjectFields, way: Way, asked: unknown, real: unknown, path: string): readonly string[] {
    if (asked === null || real === null) return asked === real ? [] : [`${path} is null in one way`];
    const [ours, theirs] = [[asked].flat(), [real].flat()];
    if (ours.length !== theirs.length) return [`${path} has another length`];
    return ours.flatMap((one, index) => this.#differences(fields, way, one as Facts, theirs[index] as Facts, path));
  }
}

/** Whether the gate itself has another value than the operation. */
function isUnlike(how: Known): boolean {
  return how === "null" || (typeof how === "object" && "differs" in how);
}

function isAs(how: Known, asked: Facts, real: Facts, name: string): boolean {
  if (how === "not asked") return false;
  if (how === "null") return asked[name] === null;
  if (typeof how === "object") {
    if ("same-as" in how) return isDeepStrictEqual(asked[name], asked[how["same-as"]]);
    if ("differs" in how) return name in asked;
    return !(name in asked) || !(name in real) || isDeepStrictEqual(asked[name], real[name]);
  }
  return isDeepStrictEqual(asked[name], real[name]);
}

/** The subject that a person describes by stating all of these facts that the form of a request has. */
export function describedAs(kind: DescribedSubject["kind"], hook: HookName, facts: Facts): object {
  const subject: Record<string, unknown> = stated(DESCRIBED[kind].shape, facts);
  // A program that does as little as the described one can be shorter or longer.
  delete subject.insn_cnt;
  if (Array.isArray(subject.maps)) subject.maps = subject.maps.map((map) => stated(DESCRIBED.map.shape, map));
  const request = readRequest("request", 1, JSON.stringify({ hook, [kind]: subject }));
  if (request.form === "recorded") throw new TypeError("a described request was read as a recorded one");
  return describedQuestion(request.subject, hook, "request").subject;
}

/** The facts that a form asks for. */
function stated(form: object, facts: Facts): Record<string, unknown> {
  return Object.fromEntries(Object.keys(form).flatMap((key) => (key in facts ? [[key, facts[key]]] : [])));
}
