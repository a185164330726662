import { verdictName } from "../../errno.js";
import { containerOf, isAuditDenial, isDenied, outcomeOf, type RecordOutcome } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { ShadowChange } from "../../log/shadow-record.js";
import { visibleText } from "../../visible-text.js";
import { styled } from "../output/output.js";
import { SHADOW_WORDS } from "../output/shadow-words.js";

type Style = Parameters<typeof styled>[0];
/** A part of a line, with its style if it has one. */
type Part = string | readonly [style: Style, text: string];

/**
 * A record on one line: time, id, what became of it, hook, subject, who asked, and why; of a denial also the command
 * that says more. Strings can have any content, and fields can be missing.
 */
export function recordLine(record: ReadRecord): string {
  const { time = "(no time)", type = "(no type)" } = record;
  const parts = PARTS.get(type)?.(record) ?? [`record of type ${type}`];
  return [["dim", time] as const, ...parts].map(rendered).join(" ");
}

/** The parts after the time, by the type of the record. */
const PARTS = new Map<string, (record: ReadRecord) => readonly Part[]>(
  Object.entries({ decision, keyring, shadow, throttle }),
);

function rendered(part: Part): string {
  return typeof part === "string" ? visibleText(part) : styled(part[0], visibleText(part[1]));
}

function decision(record: ReadRecord): readonly Part[] {
  const { id = "(no id)", hook = "(no hook)", subject } = record;
  const [style, word] = WORDS[outcomeOf(record)];
  const errno = isDenied(record) ? ` ${verdictName(record.enforced_verdict ?? record.verdict ?? 0)}` : "";
  const reasons = reasonsOf(record);
  const asked = `for ${caller(record)}${reasons.length === 0 ? "" : ":"}`;
  const why = reasons.length === 0 ? [] : [reasons.join("; ")];
  const further = isDenied(record) || isAuditDenial(record) ? [["dim", `(countersign explain ${id})`] as const] : [];
  return [["dim", id], [style, word + errno], hook, `\`${subject?.name ?? ""}\``, asked, ...why, ...further];
}

/** The word for what became of a decision, and its style. */
const WORDS: Readonly<Record<RecordOutcome, readonly [style: Style, word: string]>> = {
  denied: ["red", "denied"],
  "would deny": ["yellow", "would deny"],
  "audit denial": ["yellow", "audit denial"],
  probe: ["green", "allowed probe"],
  allowed: ["green", "allowed"],
};

/** `tc (pid 4711, uid 0, container router)`. */
function caller(record: ReadRecord): string {
  const { comm = "", pid, uid, container } = record.current ?? {};
  const named = containerOf(record);
  const parts = [
    ...(pid === undefined || pid === 0 ? [] : [`pid ${pid}`]), // 0: `check` asked, and no task
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(named === null ? [] : [`container ${named}${labelsOf(container?.labels)}`]),
  ];
  return `${comm === "" ? "a task" : comm} (${parts.join(", ")})`;
}

function labelsOf(labels: Readonly<Record<string, string | undefined>> | null | undefined): string {
  if (labels === null) return " with unknown labels";
  const all = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? "" : ` ${all.join(",")}`;
}

function reasonsOf({
  denied_by,
  audit_denials = [],
  loader_probe,
}: Pick<ReadRecord, "denied_by" | "audit_denials" | "loader_probe">): string[] {
  const audit = audit_denials.map((denial) => denial?.reason ?? "");
  return [
    ...(denied_by?.reason === undefined ? [] : [denied_by.reason]),
    ...audit.map((reason) => (denied_by === null || denied_by === undefined ? reason : `audit: ${reason}`)),
    ...(loader_probe === undefined ? [] : [loader_probe]),
  ];
}

/** What the shadow would do, and what was done. */
function shadow(record: ReadRecord): readonly Part[] {
  const { id = "(no id)", hook = "(no hook)", subject, decided, enforced_verdict = 0, change = "" } = record;
  const [style, word] = Object.hasOwn(SHADOW_WORDS, change)
    ? SHADOW_WORDS[change as ShadowChange]
    : (["yellow", "would decide otherwise"] as const);
  const errno = enforced_verdict < 0 ? ` ${verdictName(enforced_verdict)}` : "";
  const [now, then] = [reasonsOf(decided ?? {}), reasonsOf(record)];
  const before = `${(decided?.enforced_verdict ?? 0) < 0 ? "denied" : "allowed"}${now.length === 0 ? "" : ", "}`;
  const why = then.length === 0 ? [] : [`: ${then.join("; ")}`];
  return [
    ["dim", id],
    [style, `shadow ${word}${errno}`],
    hook,
    `\`${subject?.name ?? ""}\` for ${caller(record)}${why.join("")} (now ${before}${now.join("; ")})`,
  ];
}

function keyring({ keyring, generation, error = null }: ReadRecord): readonly Part[] {
  const name = `keyring \`${keyring}\` generation ${generation}`;
  return error === null ? [name, ["green", "in use"]] : [name, ["red", "files rejected:"], error];
}

function throttle({ container = null, program_releases }: ReadRecord): readonly Part[] {
  const who = container === null ? "the command" : `container ${container.name ?? container.id ?? "(no id)"}`;
  return [["yellow", "loads wait"], `for ${who}: more than ${program_releases} programs were released in a second`];
}
