import type { ExampleAnswer, GroupData } from "../report/report-data.js";
import { element } from "./element.js";

/** What the record of a denial holds of its explanation. */
export function details({ example, count, others }: GroupData): HTMLElement {
  if (others !== undefined) return element("p", {}, `${others} kinds of denials that are too rare for this report.`);
  if (example === null)
    return element("p", {}, "Not in this report, which would be too large. `countersign log` shows the decisions.");
  const { id, time, facts, answers } = example;
  const rows = facts.map(([name, value]) => element("tr", {}, element("th", {}, name), element("td", {}, value)));
  return element(
    "div",
    {},
    element("p", {}, `${count === 1 ? "The decision" : `The first of ${count} decisions`}, at ${time}:`),
    element("table", { class: "facts" }, ...rows),
    ...answers.map(answerNode),
    element("p", {}, "Why, line by line: ", element("code", {}, `countersign explain ${id}`)),
    element("p", {}, "In the log: ", element("code", {}, `countersign log --json --id ${id}`)),
  );
}

function answerNode({ attachment, mode, verdict, reason, lines }: ExampleAnswer): HTMLElement {
  const answered = verdict === "0" ? "allowed" : `denied ${verdict}`;
  const words = `${attachment}${mode === "audit" ? " (audit)" : ""} ${answered}${reason === null ? "" : `: ${reason}`}`;
  const list = lines.map((line) => element("li", {}, line));
  return element("div", { class: "answer" }, element("p", {}, words), element("ul", {}, ...list));
}
