import { describeEvidence } from "../bpf/report/evidence-text.js";
import { verdictName } from "../errno.js";
import { element, htmlPage, text } from "../html-page.js";
import type { ExplainedAttachment, Explanation, TracedCall, TraceEvent, TracePlace } from "./explain/explanation.js";
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
} from "./explain/words.js";

/**
 * Explanations as one HTML file without a script. It loads nothing: its content security policy allows its own style
 * alone. Names and values are text, whatever is in them.
 */
export function explanationPage(explanations: readonly Explanation[]): string {
  return htmlPage("why a decision is what it is", explanations.map(decision));
}

const CLASSES: Readonly<Record<Explanation["outcome"], string>> = {
  denied: "denied",
  "would deny": "audit",
  "audit denial": "audit",
  probe: "allowed",
  allowed: "allowed",
};

function decision(explanation: Explanation): string {
  const { outcome, enforced_verdict, because, attachments, evidence, executed } = explanation;
  const [what, ...head] = headText(explanation);
  const errno = enforced_verdict < 0 ? ` ${verdictName(enforced_verdict)}` : "";
  const rule = defaultText(explanation);
  return element("article", [
    element("h1", [`<span class="${CLASSES[outcome]}">${text(OUTCOME_WORDS[outcome] + errno)}</span> ${text(what!)}`]),
    ...head.map((line) => element("p", [text(line)], "dim")),
    ...because.map((line) => element("p", [text(line)], enforced_verdict < 0 ? "why" : "")),
    ...(attachments.length === 0 ? [] : [element("h2", ["Attachments"])]),
    ...attachments.map((one) => attachment(one, because)),
    ...(rule === null ? [] : [element("p", [text(rule)])]),
    ...(evidence.length === 0 ? [] : [element("h2", ["Effects"])]),
    ...evidence.flatMap((one) => [
      element("p", [`${element("code", [text(one.effect)])} ${text(describeEvidence(one))}`]),
      ...(one.code.length === 0 ? [] : [element("pre", [one.code.map(text).join("\n")])]),
    ]),
    ...executedText(executed).map((line) => element("p", [text(line)], "dim")),
  ]);
}

/** `because` are the lines that are shown already. */
function attachment(its: ExplainedAttachment, because: readonly string[]): string {
  const { name, scope, answer, trace, returned, in_scope } = its;
  const conditions = scope.filter(({ matches }) => in_scope || !matches);
  const isNew = (reason: string) => !because.some((line) => line.includes(reason));
  const steps = trace.filter((one) => one.event !== "return").map(event);
  if (answer !== null) {
    const verdict = `<b class="${answer.verdict < 0 ? "denied" : "allowed"}">${text(verdictOf(answer.verdict))}</b>`;
    steps.push(returned === null ? item(`answered ${verdict}`) : item(`returned ${verdict} at ${placed(returned)}`));
    const { fault } = answer;
    if (fault !== null) steps.push(item(text(`fault ${fault.code}: ${fault.message}${at(fault.place)}`)));
    if (answer.reason !== null && isNew(answer.reason)) steps.push(item(text(`reason ${answer.reason}`)));
    for (const reason of answer.unused_reasons) steps.push(item(text(`unused reason ${reason}`)));
    for (const note of answer.notes) steps.push(item(text(`note ${note}`)));
    for (const { map, key, value } of answer.writes)
      steps.push(item(text(`wrote ${map}[${JSON.stringify(key)}] ${value === null ? "deleted" : `= ${value}`}`)));
  }
  return [
    element("h3", [`${text(name)} <span class="dim">${text(attachmentWords(its))}</span>`]),
    element("ul", [...conditions.map((one) => item(text(`scope: ${conditionText(one)}`))), ...steps]),
  ].join("\n");
}

function event(one: TraceEvent): string {
  switch (one.event) {
    case "read":
      return item(`read ${element("code", [text(one.fact)])}: ${text(valueText(one.value))}`);
    case "call":
      return call(one);
    case "branch":
      return item(`${text(one.arm)} at ${placed(one)}`);
    default:
      return one.event === "more" ? item(`… ${one.count} more events`) : "";
  }
}

function call(one: TracedCall): string {
  const lines = [
    ...(one.because === null ? [] : [`because ${one.because}`]),
    ...(one.rule === null ? [] : [`rule ${one.rule}`]),
    ...one.signers.map((signer) => `signer ${signerText(signer)}`),
    ...one.paths.map((path) => `certificate path ${pathText(path)}`),
  ];
  const list =
    lines.length === 0
      ? ""
      : element(
          "ul",
          lines.map((line) => item(text(line))),
        );
  return item(`called ${element("code", [text(callText(one))])}${list}`);
}

/** The place, and its line with the column marked. */
function placed(place: TracePlace): string {
  const { source, column } = place;
  if (source.trim() === "") return text(placeOf(place));
  const [before, marked, after] = [source.slice(0, column - 1), source.slice(column - 1, column), source.slice(column)];
  return `${text(placeOf(place))}${element("pre", [`${text(before)}<mark>${text(marked)}</mark>${text(after)}`])}`;
}

function placeOf({ file, line, column }: TracePlace): string {
  return `${file}:${line}:${column}`;
}

function verdictOf(verdict: number): string {
  return verdict < 0 ? verdictName(verdict) : "0";
}

function at(place: string | null): string {
  return place === null ? "" : ` at ${place}`;
}

function item(html: string): string {
  return element("li", [html]);
}
