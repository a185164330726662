import { verdictName } from "../../errno.js";
import { oneLine } from "../../error.js";
import type { Decision } from "../../hooks/decision.js";
import { faultText } from "../../hooks/denial.js";
import { timestamp } from "../../log/record.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { type Checked, isUndecided } from "./checked.js";
import { liveNotes, type Reads } from "./live-notes.js";
import { jsonText, print, printJson, styled } from "./output.js";
import { SHADOW_WORDS } from "./shadow-words.js";
import { table } from "./table.js";
import { unusedReasons } from "./unused-reasons.js";

/**
 * Prints decisions. JSON: an object for one file, an array for several. Otherwise a table with one decision in each
 * row; `isLogged` adds the id of each denial, by which `countersign log` finds its record.
 */
export function printCheck(
  checked: readonly Checked[],
  json: boolean,
  reads: Reads,
  target: TargetKernel | null = null,
  isLogged = false,
): void {
  if (json) {
    const all = checked.map((one) => toJson(one, target));
    printJson(all.length === 1 ? all[0] : all);
    return;
  }
  const rows = checked.flatMap(({ file, decisions }) => decisions.map((decision) => rowOf(file, decision, isLogged)));
  if (rows.length > 0) print(table(["FILE", "SUBJECT", "HOOK", "VERDICT", "REASON"], rows));
  const faults = checked.flatMap(({ file, decisions }) => decisions.flatMap((decision) => faultLines(file, decision)));
  if (faults.length > 0) print(`\n${faults.join("\n")}`);
  const changes = checked.flatMap(({ file, changes }) => (changes ?? []).map((change) => changeLine(file, change)));
  if (changes.length > 0) print(`\n${changes.join("\n")}`);
  const notes = liveNotes(checked, reads);
  if (notes.length > 0) print(`\n${notes.join("\n")}`);
  const missing = target === null ? [] : reasonLines(checked, target);
  if (missing.length > 0) print(`\n${missing.join("\n")}`);
  if (checked.length > 1 || rows.length > 1) print(`\n${summary(checked)}`);
}

/** One line for each program, or whole file, that cannot load on the kernel, or is not known there. */
function reasonLines(checked: readonly Checked[], { name }: TargetKernel): string[] {
  const lines = checked.flatMap(({ file, reasons }) =>
    reasons.map(({ code, place, message, remedy }) => {
      const result = code === "CORE_NEEDS_KALLSYMS" ? "not known" : "cannot load";
      const where = place === undefined ? file : `${file} ${place}`;
      return oneLine(
        `${result} on ${name}: ${where}: ${message} [${code}]${remedy === undefined ? "" : `; ${remedy}`}`,
      );
    }),
  );
  return [...new Set(lines)];
}

/** What the shadow would decide otherwise. */
function changeLine(file: string, { decision, change, decided }: ShadowDifference): string {
  const { hook, subject, enforced_verdict, denied_by, audit_denials, answers } = decision;
  const [style, word] = SHADOW_WORDS[change];
  const errno = enforced_verdict < 0 ? ` ${verdictName(enforced_verdict)}` : "";
  const faults = answers.flatMap(({ fault }) => (fault === null ? [] : [faultText(fault)]));
  const reasons = [denied_by, ...audit_denials].flatMap((denial) => (denial === null ? [] : [denial.reason]));
  const why = [...new Set([...(reasons.length > 0 ? reasons : faults)])].join("; ");
  const now = decided.denied_by === null ? "allowed" : `denied, ${decided.denied_by.reason}`;
  const text = `${file} ${subject.name} ${hook}${why === "" ? "" : `: ${why}`} (now ${now})`;
  return `${styled(style, `shadow ${word}${errno}`)} ${oneLine(text)}`;
}

function shadowJson({ decision, change, decided }: ShadowDifference): object {
  const { hook, subject, enforced_verdict, denied_by, audit_denials } = decision;
  return { hook, subject: subject.name, change, enforced_verdict, denied_by, audit_denials, decided };
}

function toJson(
  { file, decisions, differences, changes, reasons, error }: Checked,
  target: TargetKernel | null,
): object {
  return {
    file,
    decisions: decisions.map(decisionJson),
    differences: differences.map(({ asked: _, offlineOnly, ...one }) => ({ ...one, offline_only: offlineOnly })),
    ...(changes === null ? {} : { shadow: changes.map(shadowJson) }),
    ...(target === null ? {} : { kernel: target, not_loadable: reasons }),
    error,
  };
}

function decisionJson({ current: _, time, judged_time, ...decision }: Decision): object {
  return {
    ...decision,
    time: timestamp(time),
    judged_time: timestamp(judged_time),
    errno: verdictName(decision.verdict),
    enforced_errno: verdictName(decision.enforced_verdict),
  };
}

/**
 * The decision about one request: a line of JSON, or of text and one more for each policy that failed and for what the
 * shadow would decide otherwise. `changes` is null if the configuration has no shadow.
 */
export function decisionText(
  request: string,
  decision: Decision,
  changes: readonly ShadowDifference[] | null,
  json: boolean,
  isLogged: boolean,
): string {
  if (json) {
    const shadow = changes === null ? {} : { shadow: changes.map(shadowJson) };
    return jsonText({ request, decision: decisionJson(decision), ...shadow, error: null });
  }
  const others = (changes ?? []).map((change) => changeLine(request, change));
  return [rowOf(request, decision, isLogged).join("  "), ...faultLines(request, decision), ...others].join("\n");
}

function rowOf(file: string, decision: Decision, isLogged: boolean): string[] {
  const { hook, subject, mode, enforced_verdict, denied_by, audit_denials, answers } = decision;
  const name = oneLine(subject.name);
  const line = [oneLine(file), name, hook];
  const unused = answers.map(unusedReasons).join("");
  const id = isLogged ? ` (${decision.id})` : "";
  if (denied_by !== null) {
    const verdict = mode === "enforce" ? styled("red", "denied") : styled("yellow", "would deny");
    return [...line, `${verdict} ${verdictName(enforced_verdict)}`, denied_by.reason + unused + id];
  }
  if (audit_denials.length > 0) {
    const verdicts = [...new Set(audit_denials.map(({ verdict }) => verdictName(verdict)))].join(", ");
    const reasons = audit_denials.map(({ reason }) => reason).join("; ");
    return [...line, styled("yellow", `audit ${verdicts}`), `denied in audit alone: ${reasons}${unused}${id}`];
  }
  return [...line, styled("green", "allowed"), allowedBy(answers) + unused];
}

/** Names the enforcing attachments that answered 0, or the default; then the other attachments that were asked. */
function allowedBy(answers: Decision["answers"]): string {
  if (answers.length === 0) return "nothing is in scope; the default is allow";
  const own = answers.filter(({ mode, fault }) => mode === "enforce" && fault === null);
  const others = answers.filter((answer) => !own.includes(answer));
  const asked = others.map(({ attachment, mode, fault }) => {
    const notes = [...(mode === "audit" ? ["audit"] : []), ...(fault === null ? [] : ["fault"])];
    return `${attachment} (${notes.join(", ")})`;
  });
  const by = own.length === 0 ? "no enforcing attachment answered; the default is allow" : `by ${namesOf(own)}`;
  return asked.length === 0 ? by : `${by}; asked: ${asked.join(", ")}`;
}

function namesOf(answers: Decision["answers"]): string {
  return answers.map(({ attachment }) => attachment).join(", ");
}

/** One line for each policy that failed, since the table shows only one reason. */
function faultLines(file: string, { hook, subject, answers }: Decision): string[] {
  return answers.flatMap(({ attachment, mode, verdict, fault }) => {
    if (fault === null) return [];
    const effect = mode === "audit" ? " (in audit)" : verdict === 0 ? " (let through by `on_fault: allow`)" : "";
    const text = `${attachment} on ${file} ${subject.name} ${hook}: ${faultText(fault)}`;
    return [`${styled("red", "fault")} ${fault.code}${effect}: ${oneLine(text)}`];
  });
}

function summary(checked: readonly Checked[]): string {
  const decisions = checked.flatMap((one) => one.decisions);
  const denied = decisions.filter(({ enforced_verdict }) => enforced_verdict !== 0).length;
  const audit = decisions.filter((one) => one.enforced_verdict === 0 && one.audit_denials.length > 0).length;
  const faults = decisions.filter(isUndecided).length;
  const undecided = checked.filter(({ error }) => error !== null).length;
  const parts = [
    `${decisions.length - denied} allowed${audit === 0 ? "" : ` (${audit} of them denied in audit alone)`}`,
    `${denied} denied`,
    ...(faults === 0 ? [] : [`${faults} with a fault`]),
    ...(undecided === 0 ? [] : [`${undecided} ${undecided === 1 ? "file" : "files"} undecided`]),
  ];
  return parts.join(", ");
}
