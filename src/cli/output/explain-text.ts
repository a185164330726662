import { describeEvidence } from "../../bpf/report/evidence-text.js";
import { verdictName } from "../../errno.js";
import type { RecordOutcome } from "../../log/outcome.js";
import { visibleText } from "../../visible-text.js";
import type {
  ExplainedAttachment,
  Explanation,
  ScopeCondition,
  TracedCall,
  TraceEvent,
  TracePlace,
} from "../../workbench/explain/explanation.js";
import {
  attachmentWords,
  callText,
  conditionText,
  defaultText,
  executedText,
  headText,
  OUTCOME_WORDS,
  pathText,
  signerText,
  valueText,
} from "../../workbench/explain/words.js";
import { styled } from "./output.js";

type Style = Parameters<typeof styled>[0];

const STYLES: Readonly<Record<RecordOutcome, Style>> = {
  denied: "red",
  "would deny": "yellow",
  "audit denial": "yellow",
  probe: "green",
  allowed: "green",
};

/** An explanation as text for a person. Names and values are shown as text, whatever is in them. */
export function explainText(explanation: Explanation): string {
  const { outcome, because, attachments, evidence } = explanation;
  const [what, ...head] = headText(explanation);
  const word = styled(STYLES[outcome], OUTCOME_WORDS[outcome] + errnoOf(explanation));
  const lines = [
    `${word} ${shown(what!)}`,
    ...head.map((line) => `  ${shown(line)}`),
    "",
    ...because.map((line) => `${styled("bold", "Why:")} ${shown(line)}`),
  ];
  if (attachments.length > 0)
    lines.push("", heading("Attachments"), ...attachments.flatMap((one) => attachmentLines(one, because)));
  const rule = defaultText(explanation);
  if (rule !== null) lines.push(`  ${shown(rule)}`);
  if (evidence.length > 0) {
    lines.push("", heading("Effects"));
    for (const one of evidence) {
      lines.push(`  ${styled("cyan", one.effect)} ${shown(describeEvidence(one))}`);
      lines.push(...one.code.map((line) => `      ${shown(line)}`));
    }
  }
  return [...lines, "", ...executedText(explanation.executed).map((line) => styled("dim", shown(line)))].join("\n");
}

function errnoOf({ enforced_verdict }: Explanation): string {
  return enforced_verdict < 0 ? ` ${verdictName(enforced_verdict)}` : "";
}

/** `because` are the lines that are shown already. */
function attachmentLines(attachment: ExplainedAttachment, because: readonly string[]): string[] {
  const { answer, scope, trace, returned, in_scope } = attachment;
  const isNew = (reason: string) => !because.some((line) => line.includes(reason));
  const lines = [`  ${styled("bold", shown(attachment.name))} ${shown(attachmentWords(attachment))}`];
  // Of an attachment that is not asked, only what keeps it out
  lines.push(...scope.filter(({ matches }) => in_scope || !matches).map(conditionLine));
  if (answer === null) return lines;
  for (const [index, event] of trace.entries()) lines.push(...eventLines(event, trace[index - 1]));
  const verdict = styled(answer.verdict < 0 ? "red" : "green", answer.verdict < 0 ? verdictName(answer.verdict) : "0");
  if (returned !== null) lines.push(`    returned ${verdict} at ${placeText(returned)}`, ...sourceLines(returned));
  else lines.push(`    answered ${verdict}`);
  if (answer.fault !== null) {
    const { code, message, place } = answer.fault;
    lines.push(`    ${styled("red", "fault")} ${shown(`${code}: ${message}${place === null ? "" : ` at ${place}`}`)}`);
  }
  if (answer.reason !== null && isNew(answer.reason)) lines.push(`    reason ${shown(answer.reason)}`);
  for (const reason of answer.unused_reasons) lines.push(`    unused reason ${shown(reason)}`);
  for (const note of answer.notes) lines.push(`    note ${shown(note)}`);
  for (const { map, key, value } of answer.writes)
    lines.push(`    wrote ${shown(`${map}[${JSON.stringify(key)}] ${value === null ? "deleted" : `= ${value}`}`)}`);
  return lines;
}

function conditionLine(condition: ScopeCondition): string {
  return `    ${styled(condition.matches ? "green" : "yellow", "scope")} ${shown(conditionText(condition))}`;
}

function eventLines(event: TraceEvent, before: TraceEvent | undefined): string[] {
  switch (event.event) {
    case "read":
      return [`    read ${shown(event.fact)}: ${styled("cyan", shown(valueText(event.value)))}`];
    case "call":
      return callLines(event);
    case "branch": {
      const isSameLine = before?.event === "branch" && before.file === event.file && before.line === event.line;
      return [`    branch ${placeText(event)} ${shown(event.arm)}`, ...(isSameLine ? [] : sourceLines(event))];
    }
    case "return":
      return [];
    default:
      return [`    … ${event.count} more events`];
  }
}

function callLines(call: TracedCall): string[] {
  const why = call.because === null ? [] : [`      because ${shown(call.because)}`];
  const rule = call.rule === null ? [] : [`      rule ${shown(call.rule)}`];
  const signers = call.signers.map((signer) => `      signer ${shown(signerText(signer))}`);
  const paths = call.paths.map((path) => `      certificate path ${shown(pathText(path))}`);
  return [`    called ${shown(callText(call))}`, ...why, ...rule, ...signers, ...paths];
}

function placeText({ file, line, column }: TracePlace): string {
  return styled("underline", shown(`${file}:${line}:${column}`));
}

/** The most characters of a line of a policy. */
const MAX_SOURCE = 120;

/** The line, with a mark below the column. Of a long line the part around the column. */
function sourceLines({ line, column, source }: TracePlace): string[] {
  const text = source.replaceAll("\t", " ");
  const from = column <= MAX_SOURCE ? 0 : column - MAX_SOURCE / 2;
  const part = text.slice(from, from + MAX_SOURCE);
  if (part.trim() === "") return [];
  const margin = `      ${String(line).padStart(4)} | `;
  return [`${margin}${shown(part)}`, `${" ".repeat(margin.length + column - 1 - from)}${styled("yellow", "^")}`];
}

function heading(text: string): string {
  return styled("bold", text);
}

function shown(text: string): string {
  return visibleText(text);
}
