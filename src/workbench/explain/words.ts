import { verdictName } from "../../errno.js";
import type { CertificateOfRecord, SignerOfRecord } from "../../log/input-records.js";
import type { RecordOutcome } from "../../log/outcome.js";
import type {
  Executed,
  ExplainedAttachment,
  ExplainedCaller,
  Explanation,
  ScopeCondition,
  TracedCall,
} from "./explanation.js";

/** The sentences of an explanation, for text and for the page. Values in them can have any content. */

export const OUTCOME_WORDS: Readonly<Record<RecordOutcome, string>> = {
  denied: "denied",
  "would deny": "would deny",
  "audit denial": "denied in audit alone",
  probe: "allowed probe",
  allowed: "allowed",
};

/** What was decided and for whom; then one line each for the record, the subject and the task. */
export function headText(explanation: Explanation): readonly string[] {
  const { id, time, judged_time, origin, writer, hook, mode, subject, current } = explanation;
  const by = writer === null ? "" : ` by Countersign ${writer.engine} on ${writer.host}, kernel ${writer.kernel}`;
  const judged = judged_time === null ? "" : `; signatures as of ${judged_time}`;
  const from = subject.path === null ? "" : ` from ${subject.path}`;
  return [
    `${hook ?? "(no hook)"} \`${subject.name ?? ""}\` for ${callerText(current)}`,
    `${id ?? "(no id)"}, ${time ?? "(no time)"}, ${origin ?? "(no origin)"}${by}${judged}`,
    `${subject.kind ?? "subject"} ${subject.digest ?? "without a digest"}${from}`,
    ...taskText(current),
    ...(mode === "audit" ? ["a dry run (`mode: audit`): nothing is denied"] : []),
  ];
}

function callerText({ comm, pid, uid, container }: ExplainedCaller): string {
  const parts = [
    ...(pid === null || pid === 0 ? [] : [`pid ${pid}`]), // 0: `check` asked, and no task
    ...(uid === null ? [] : [`uid ${uid}`]),
    ...(container === null
      ? []
      : [`container ${container.name ?? container.id ?? ""} ${labelsText(container.labels)}`]),
  ];
  return `${comm === null || comm === "" ? "a task" : comm} (${parts.join(", ")})`;
}

function taskText({ exe, cgroup, euid, uid }: ExplainedCaller): readonly string[] {
  const parts = [
    ...(exe === null ? [] : [`executable ${exe}`]),
    ...(euid === null || euid === uid ? [] : [`euid ${euid}`]),
    ...(cgroup === null ? [] : [`cgroup ${cgroup}`]),
  ];
  return parts.length === 0 ? [] : [parts.join(", ")];
}

function labelsText(labels: Readonly<Record<string, string>> | null): string {
  if (labels === null) return "with unknown labels";
  const all = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? "without labels" : all.join(",");
}

/** What follows the name of an attachment: its mode and policy, and whether it was asked. */
export function attachmentWords({ mode, policy, answer, in_scope }: ExplainedAttachment): string {
  const what = [mode, policy].filter((part) => part !== null).join(", ");
  const asked = answer !== null ? "was asked" : in_scope ? "was in scope and not asked" : "was not in scope";
  return `${what === "" ? "" : `(${what}) `}${asked}`;
}

/** `uid 0 is in 0-999`, `labels tier=web do not match tier=edge`. */
export function conditionText({ field, rule, value, matches }: ScopeCondition): string {
  if (field === "hook") return matches ? `it is attached to ${value}` : `it is attached to ${rule}, not to ${value}`;
  const [does, not] = field === "labels" ? ["match", "do not match"] : ["matches", "does not match"];
  return `${field} ${value} ${matches ? does : not} ${rule}`;
}

/** Which default applied; null if an enforcing attachment answered, or it is not known. */
export function defaultText({ attachments, default: rule, hook, executed }: Explanation): string | null {
  if (rule === null || executed.result === "unasked") return null;
  const answered = attachments.some(
    ({ mode, answer }) => mode === "enforce" && answer !== null && answer.fault === null,
  );
  const denied = attachments.some(({ mode, answer }) => mode === "enforce" && answer !== null && answer.verdict < 0);
  if (answered || denied) return null;
  return `no enforcing attachment answered: the default of ${hook} is ${rule}`;
}

export function callText({ call, arguments: given, result }: TracedCall): string {
  if (given.length === 0 && result === undefined) return call;
  return `${call}(${given.join(", ")}) = ${resultText(call, result)}`;
}

/** The answers of these helpers are 0 or a negative errno. */
const VERDICTS: ReadonlySet<string> = new Set(["verify_signature", "verify_program", "map_update", "map_delete"]);

function resultText(call: string, result: unknown): string {
  if (VERDICTS.has(call) && typeof result === "number") return result === 0 ? "0" : verdictName(result);
  if (result === undefined) return call === "map_lookup" ? "undefined: the map has no such key" : "not recorded";
  return valueText(result);
}

/** The most characters of a value in text. */
const MAX_VALUE = 300;

/** A value as JSON, or what is known of bytes. */
export function valueText(value: unknown): string {
  if (isBytes(value)) return `${value.length} bytes, SHA-256 ${value.sha256}`;
  const text =
    typeof value === "string" && value.endsWith(" characters)") ? value : (JSON.stringify(value) ?? "undefined");
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
}

function isBytes(value: unknown): value is { readonly sha256: string; readonly length: number } {
  return (
    typeof value === "object" &&
    value !== null &&
    "sha256" in value &&
    typeof (value as { length?: unknown }).length === "number"
  );
}

export function signerText({ subject, key_id, serial, issuer }: SignerOfRecord): string {
  const certificate = issuer === null ? "" : `, certificate ${serial ?? "without a serial"} issued by ${issuer}`;
  return `${subject ?? "a key without a certificate"}, key ${key_id}${certificate}`;
}

/** `CN=root (serial 01) → CN=signer (serial 0a2f)`: the issuer of each is the one before it. */
export function pathText(path: readonly CertificateOfRecord[]): string {
  return path
    .map(({ subject, serial }) => `${subject ?? "a certificate without a subject"} (serial ${serial ?? "unknown"})`)
    .join(" → ");
}

/** How the decision was executed again, and what the explanation lacks. */
export function executedText({ result, because, limits }: Executed): readonly string[] {
  const line = {
    same: "executed again from the record: the same decision",
    different: `executed again from the record, the decision differs: ${because}; the trace may not be what happened`,
    unknown: `not executed again, since the log lacks ${because}; this is what the record holds`,
    unasked: "no policy was asked",
  }[result];
  return [line, ...limits];
}
