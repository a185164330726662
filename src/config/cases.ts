import * as z from "zod";
import { ERRNO } from "../errno.js";
import { HOOK_NAMES, type HookName } from "../hooks/catalogue.js";
import { readText } from "../input.js";
import type { MapWrite } from "../policy/maps/map.js";
import type { Container, Current } from "../policy/model/current.js";
import { FAULT_CODES } from "../policy/model/outcome.js";
import { type CaseSubject, DESCRIBED, type DescribedSubject, SUBJECT_KEYS } from "./case-subject.js";
import { CONTAINER_FIELDS, currentOf, TASK_FIELDS } from "./current.js";
import { Document, type Path } from "./document.js";
import { type HelperAnswer, helperAnswers } from "./helper-answers.js";
import { validated } from "./issue.js";
import { mapValueFlaw } from "./mapfile.js";
import { Problems } from "./problems.js";
import { quoted } from "./quoted.js";

/** One case of a policy's test: a question and the expected answer. */
export interface PolicyCase extends DescribedQuestion {
  /** `file:line:column` of the case. */
  readonly place: string;
  /** The test's own name for the case; null if it has none. */
  readonly name: string | null;
  readonly helpers: readonly HelperAnswer[];
  /**
   * `allow`, `deny`, a verdict by name such as `-EPERM`, `fault` or `fault CODE` if the policy is expected to fail, or
   * `not asked` if it is expected to be out of scope.
   */
  readonly expect: string;
  /** Text that the reason, or the message of the fault, must contain. */
  readonly reason: string | undefined;
  /** All changes of maps that the policy must make; null if the case does not say. */
  readonly writes: readonly MapWrite[] | null;
}

const verdicts = Object.keys(ERRNO).map((name) => `-${name}`);
const faults = ["fault", ...FAULT_CODES.map((code) => `fault ${code}`)];
const labels = z.record(z.string(), z.string()).nullable();
const mapValue = z.unknown().superRefine((value, context) => {
  const flaw = mapValueFlaw(value);
  if (flaw !== null) context.addIssue({ code: "custom", message: flaw });
});

/** Contents of maps, by name. */
export const MAPS = z.record(z.string(), z.record(z.string(), mapValue)).default({});
export type MapContents = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Milliseconds since the epoch. */
export const TIME = z.iso
  .datetime({ offset: true, error: "is not a time; write it as 2026-01-31T12:00:00Z" })
  .transform((text) => Date.parse(text))
  .optional();

/** What a case and a request have in common: a subject that is described, who asks, when, and contents of maps. */
export const QUESTION = {
  ...z.strictObject(DESCRIBED).partial().shape,
  hook: z.enum(HOOK_NAMES as [HookName]).optional(),
  ...TASK_FIELDS,
  labels: labels.optional(),
  container: z
    .strictObject({ ...CONTAINER_FIELDS, id: CONTAINER_FIELDS.id.default("check"), labels: labels.optional() })
    .nullable()
    .optional(),
  time: TIME,
  maps: MAPS,
};

export const CASES = z.array(
  z.strictObject({
    name: z.string().optional(),
    file: z.string().min(1, { error: "is empty; name the file of the case" }).optional(),
    ...QUESTION,
    helpers: z.record(z.string(), z.unknown()).default({}),
    expect: z.enum(["allow", "deny", "not asked", ...verdicts, ...faults], {
      error:
        "is not an answer; write `allow`, `deny`, a verdict such as `-EPERM`, `not asked`, `fault`, or `fault CODE`",
    }),
    reason: z.string().optional(),
    writes: z.record(z.string(), z.record(z.string(), mapValue)).optional(),
    deletes: z.record(z.string(), z.array(z.string())).optional(),
  }),
);
type Given = z.output<typeof CASES>[number];
type GivenQuestion = z.output<z.ZodObject<typeof QUESTION>> & { readonly file?: string | undefined };
const TASK = z.object(TASK_FIELDS);

/** Makes errors about values in a text. */
type Places = Pick<Document, "error">;

/** A question of a case or of a request. */
export interface DescribedQuestion {
  readonly subject: CaseSubject;
  /** Null for the hook that fits the subject. */
  readonly hook: HookName | null;
  readonly current: Current;
  /** Milliseconds since the epoch; undefined for the time of the run. */
  readonly time: number | undefined;
  /** Contents of maps for this question alone, by name. Other maps have those of the configuration. */
  readonly maps: MapContents;
}

/** The question that a case or a request asks; `path` is its path in the document. Throws an error of `places`. */
export function questionOf(given: GivenQuestion, places: Places, path: Path): DescribedQuestion {
  return {
    subject: subjectOf(given, places, path),
    hook: given.hook ?? null,
    current: currentOf({ ...TASK.parse(given), container: containerOf(given, places, path) }),
    time: given.time,
    maps: given.maps as MapContents,
  };
}

const MAX_CASES = 2 ** 20;

/** Reads the test of a policy. Throws FILE_UNREADABLE, FILE_TOO_LARGE, and CONFIG_INVALID with the place. */
export function readCases(file: string): readonly PolicyCase[] {
  const document = new Document(file, readText(file, MAX_CASES), "CONFIG_INVALID");
  const problems = new Problems();
  const cases = validated(document, CASES).map((given, index) => {
    return problems.attempt(() => caseOf(given, document, index));
  });
  problems.throwAny();
  return cases as readonly PolicyCase[];
}

function caseOf(given: Given, document: Document, index: number): PolicyCase {
  return {
    place: document.place([index]),
    name: given.name ?? null,
    ...questionOf(given, document, [index]),
    helpers: helperAnswers(document, [index, "helpers"], given.helpers, given.program?.statements.length ?? 0),
    expect: given.expect,
    reason: given.reason,
    writes: writesOf(given),
  };
}

function writesOf({ writes, deletes }: Given): readonly MapWrite[] | null {
  if (writes === undefined && deletes === undefined) return null;
  return [
    ...Object.entries(writes ?? {}).flatMap(([map, entries]) =>
      Object.entries(entries).map(([key, value]) => ({ map, key, value: JSON.stringify(value) })),
    ),
    ...Object.entries(deletes ?? {}).flatMap(([map, keys]) => keys.map((key) => ({ map, key, value: null }))),
  ];
}

/** The keys of the labels that tasks of these cases have. */
export function labelKeysOf(cases: readonly PolicyCase[]): ReadonlySet<string> {
  return new Set(cases.flatMap(({ current: { container } }) => Object.keys(container?.labels ?? {})));
}

function subjectOf(given: GivenQuestion, places: Places, path: Path): CaseSubject {
  const subjects = SUBJECT_KEYS.filter((key) => given[key] !== undefined);
  const what = path.length === 0 ? "request" : "case";
  if (subjects.length === 0)
    throw places.error(path, `a ${what} has no subject`, `give one of ${SUBJECT_KEYS.map(quoted).join(", ")}`);
  if (subjects.length > 1) {
    const message = `a ${what} has ${subjects.join(" and ")}`;
    throw places.error([...path, subjects[1]!], message, `make a ${what} of each`, "key");
  }
  const kind = subjects[0]!;
  if (kind === "file") return { kind, file: given.file! };
  return { kind, given: given[kind] } as DescribedSubject;
}

/** Labels put the task into a container, if necessary into one that is made up. */
function containerOf({ container, labels }: GivenQuestion, places: Places, path: Path): Container | null {
  if (labels !== undefined && container !== undefined && (container === null || container.labels !== undefined))
    throw places.error([...path, "labels"], "`labels` contradicts `container`", "leave one of them out", "key");
  if (container === null || (container === undefined && isNone(labels))) return null;
  const own = { id: "check", name: null, annotations: {}, ...container };
  return { ...own, labels: labels === undefined ? (own.labels === undefined ? {} : own.labels) : labels };
}

/** An empty mapping of labels describes no container, as an option `--label` that is not given. */
function isNone(labels: GivenQuestion["labels"]): boolean {
  return labels === undefined || (labels !== null && Object.keys(labels).length === 0);
}
