import { describeEvidence } from "../bpf/report/evidence-text.js";
import { verdictName } from "../errno.js";
import { visibleText } from "../visible-text.js";
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
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Countersign: why a decision is what it is</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${explanations.map(decision).join("\n")}
</main>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1000px; padding: 1rem; overflow-wrap: anywhere; }
article { border-bottom: 2px solid #8884; padding-bottom: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin: 1.2rem 0 0.3rem; } h3 { font-size: 1rem; margin: 1rem 0 0.2rem; }
p { margin: 0.25rem 0; } ul { margin: 0.2rem 0; padding-left: 1.2rem; list-style: none; }
.denied { color: #c22; } .allowed { color: #282; } .audit { color: #a60; } .dim { opacity: 0.7; }
.why { border-left: 3px solid #c22; padding-left: 0.6rem; }
pre { background: #8882; margin: 0.2rem 0 0.4rem; overflow-x: auto; padding: 0.3rem 0.6rem; }
code { background: #8882; padding: 0 0.25rem; } mark { background: #fb06; color: inherit; }
`;

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

function element(name: string, children: readonly string[], style = ""): string {
  const attribute = style === "" ? "" : ` class="${style}"`;
  return `<${name}${attribute}>${children.join(name === "article" || name === "ul" ? "\n" : "")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text with everything escaped that HTML or a terminal would act on. */
function text(value: string): string {
  return visibleText(value.replaceAll("\t", " ")).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
