import { clipped } from "../../clipped.js";
import { verdictName } from "../../errno.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { ExampleAnswer, ExampleDecision } from "./report-data.js";

/** Limits of an example: characters of a string, answers, and lines of an answer. */
const MAX_TEXT = 400;
const MAX_ANSWERS = 12;
const MAX_LINES = 12;

/** What the record of a denial holds of its explanation, within limits. */
export function exampleDecision(record: ReadRecord): ExampleDecision {
  const { id = "", time = "", answers = [] } = record;
  return {
    id: shown(id),
    time: shown(time),
    facts: factsOf(record).flatMap(([name, value]) => (value == null ? [] : [[name, shown(String(value))] as const])),
    answers: answers.slice(0, MAX_ANSWERS).map((answer) => exampleAnswer(answer ?? {})),
  };
}

/** A text of a report's row. */
export function shown(text: string): string {
  return clipped(text, MAX_TEXT);
}

type Facts = readonly (readonly [name: string, value: string | number | null | undefined])[];

function factsOf({ hook, mode, origin, subject, current, denied_by, audit_denials = [], keyrings }: ReadRecord): Facts {
  const { container } = current ?? {};
  const denials = [denied_by, ...audit_denials].flatMap((denial) => (denial == null ? [] : [denial]));
  const all = (values: readonly (string | undefined)[]) => (values.length === 0 ? null : values.join(", "));
  return [
    ["hook", hook],
    ["engine's mode", mode === "audit" ? "audit (dry run)" : mode],
    ["recorded by", origin],
    ["subject", `${subject?.kind ?? ""} ${subject?.name ?? ""}`],
    ["digest", subject?.digest],
    ["file", subject?.path],
    ["statements", all((subject?.statements ?? []).map((one) => `${one?.name} ${one?.sha256}`))],
    ["task", `${current?.comm ?? ""} (pid ${current?.pid}, uid ${current?.uid}, euid ${current?.euid})`],
    ["executable", current?.exe],
    ["cgroup", current?.cgroup],
    ["container", container == null ? null : `${container.name ?? ""} ${container.id ?? ""}`],
    ["labels", labelsOf(container)],
    [
      "denied by",
      all(denials.map((denial) => `${denial.attachment ?? denial.rule ?? "the default"} [${denial.code}]`)),
    ],
    ["reasons", all(denials.map(({ reason }) => reason))],
    ["keyring generations", all(Object.entries(keyrings ?? {}).map(([name, generation]) => `${name} ${generation}`))],
  ];
}

function labelsOf(container: NonNullable<ReadRecord["current"]>["container"]): string | null {
  if (container == null) return null;
  if (container.labels === null) return "unknown";
  return Object.entries(container.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}

function exampleAnswer(answer: NonNullable<NonNullable<ReadRecord["answers"]>[number]>): ExampleAnswer {
  const { attachment = "", mode = "", verdict = 0, reason = null, fault, notes = [], helpers = [] } = answer;
  const lines = [
    ...(fault == null
      ? []
      : [`fault ${fault.code}: ${fault.message}${fault.place == null ? "" : ` at ${fault.place}`}`]),
    ...helpers,
    ...notes.map((note) => `note: ${note}`),
  ];
  return {
    attachment: shown(attachment),
    mode: shown(mode),
    verdict: verdictName(verdict),
    reason: reason === null ? null : shown(reason),
    lines: lines.slice(0, MAX_LINES).map((line) => shown(String(line))),
  };
}
