import type { RecordOutcome } from "../../log/outcome.js";
import type { GroupData, PolicyData, ReportData, ShadowData } from "../report/report-data.js";
import { Chart } from "./chart.js";
import { details } from "./details.js";
import { button, element, number } from "./element.js";
import { ORDER, OUTCOME_STYLES } from "./outcomes.js";
import { type Dimension, Selection, VALUES } from "./selection.js";
import { type Column, Table } from "./table.js";

const data: ReportData = JSON.parse(document.getElementById("data")!.textContent ?? "");
const selection = new Selection();

/** Decisions with one value in a dimension. */
interface Sum {
  readonly name: string;
  readonly counts: Readonly<Record<RecordOutcome, number>>;
}

const time = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const countColumn: Column<GroupData> = { title: "decisions", value: (group) => selection.count(group) };
const DENIALS: readonly Column<GroupData>[] = [
  countColumn,
  { title: "policy", value: (group) => VALUES.policy(group).join(", ") },
  { title: "program", value: (group) => VALUES.program(group).join() },
  { title: "hook", value: ({ hook }) => hook },
  { title: "task", value: ({ task }) => task },
  { title: "container", value: (group) => VALUES.container(group).join() },
  { title: "reason", value: ({ reason }) => reason ?? "" },
];

const breaks = new Table(
  "What would break if it were enforced today",
  "Operations that were allowed, and that a dry run or an attachment in audit would have denied. " +
    "A row opens the explanation.",
  DENIALS,
  0,
  details,
);
const denied = new Table("Denied", "A row opens the explanation.", DENIALS, 0, details);
const sums: readonly (readonly [Dimension, Table<Sum>])[] = (
  [
    ["policy", "By policy", "Denials of each attachment. A name narrows the report down to it."],
    ["container", "By container", "A name narrows the report down to it."],
    ["program", "By program", "The names of programs, maps and files. A name narrows the report down to it."],
  ] as const
).map(([dimension, title, note]) => [dimension, new Table(title, note, sumColumns(dimension), 1)]);

const asked = new Table<PolicyData>(
  "Attachments",
  "How often each was asked in the whole log, and what it answered, whatever is selected.",
  [
    { title: "attachment", value: ({ name }) => name },
    { title: "asked", value: ({ asked }) => asked },
    { title: "denied", value: ({ denied }) => denied },
    { title: "asked in audit", value: ({ inAudit }) => inAudit },
    { title: "faults", value: ({ faults }) => faults },
  ],
  1,
);

const shadow = new Table<ShadowData>(
  "What the shadow would decide otherwise",
  "Differences of the configuration that decided beside the enforced one, in the whole log, whatever is selected. " +
    "The id is that of one of the decisions.",
  [
    { title: "decisions", value: ({ count }) => count },
    { title: "change", value: ({ change }) => change },
    { title: "program", value: ({ program }) => program },
    { title: "hook", value: ({ hook }) => hook },
    { title: "task", value: ({ task }) => task },
    { title: "container", value: ({ container }) => container ?? "" },
    { title: "reason", value: ({ reason }) => reason ?? "" },
    { title: "id", value: ({ id }) => id },
  ],
  0,
);

const chips = element("p", { id: "picked" });
const totals = new Map(ORDER.map((outcome) => [outcome, element("output")]));
const chart = data.decisions === 0 || data.from === null ? null : new Chart(data, setRange);

document
  .getElementById("report")!
  .append(
    ...header(),
    ...(chart === null ? [] : [controls(), chart.node, chips, breaks.node, denied.node]),
    ...(chart === null ? [] : [...sums.map(([, { node }]) => node), asked.node]),
    ...(data.shadow.length === 0 ? [] : [shadow.node]),
  );
shadow.show(data.shadow);
asked.show(data.policies);
draw();

function header(): readonly Node[] {
  const { logs, decisions, from, to, period, backwards } = data;
  const covered = from === null || to === null ? "" : `, from ${time(from)} to ${time(to)}`;
  const lines = [
    decisions === 0
      ? "The log has no decisions."
      : `${number(decisions)} ${decisions === 1 ? "decision" : "decisions"}${covered}.`,
    `Log: ${logs.join(", ")}.`,
    ...(decisions === 0
      ? []
      : [`Each bar is ${length(period)}. Drag over bars to select a time; a double click ends that.`]),
    ...(backwards === 0
      ? []
      : [
          `The clock was set back, or logs were not given in order: ${number(backwards)} decisions have earlier times.`,
        ]),
  ];
  return [element("h1", {}, "Countersign report"), ...lines.map((line) => element("p", {}, line))];
}

function length(milliseconds: number): string {
  const units = [
    [86_400_000, "days"],
    [3_600_000, "hours"],
    [60_000, "minutes"],
  ] as const;
  for (const [unit, name] of units) if (milliseconds >= 2 * unit) return `${(milliseconds / unit).toFixed(1)} ${name}`;
  return milliseconds === 1000 ? "1 second" : `${milliseconds / 1000} seconds`;
}

function controls(): HTMLElement {
  const search = element("input", {
    type: "search",
    placeholder: "Filter: name, reason, hook …",
    "aria-label": "Filter",
  });
  search.addEventListener("input", () => {
    selection.text = search.value.trim();
    draw();
  });
  const boxes = ORDER.map((outcome) => {
    const { title, colour } = OUTCOME_STYLES[outcome];
    const checkbox = element("input", { type: "checkbox", checked: "" });
    checkbox.addEventListener("change", () => {
      if (checkbox.checked) selection.hidden.delete(outcome);
      else selection.hidden.add(outcome);
      draw();
    });
    const colours = element("span", { class: "colour", style: `background: ${colour}` });
    return element("label", {}, checkbox, colours, `${title} `, totals.get(outcome)!);
  });
  return element("div", { id: "controls" }, search, ...boxes);
}

function setRange(range: readonly [number, number] | null): void {
  if (String(range) === String(selection.range)) return;
  selection.range = range;
  draw();
}

function pick(dimension: Dimension, name: string | null): void {
  if (name === null) selection.picked.delete(dimension);
  else selection.picked.set(dimension, name);
  draw();
}

function draw(): void {
  const selected = data.groups.filter((group) => selection.has(group));
  const groups = selected.filter((group) => selection.count(group) > 0);
  chart?.show(selected);
  for (const [outcome, node] of totals) node.value = number(total(groups.filter((group) => group.outcome === outcome)));
  chips.replaceChildren(
    ...[...selection.picked].map(([dimension, name]) => button(`${dimension}: ${name} ✕`, () => pick(dimension, null))),
  );
  breaks.show(groups.filter(({ outcome }) => outcome === "would deny" || outcome === "audit denial"));
  denied.show(groups.filter(({ outcome }) => outcome === "denied"));
  for (const [dimension, table] of sums) table.show(sumsOf(groups, dimension));
}

function total(groups: readonly GroupData[]): number {
  return groups.reduce((sum, group) => sum + selection.count(group), 0);
}

function sumsOf(groups: readonly GroupData[], dimension: Dimension): readonly Sum[] {
  const found = new Map<string, Record<RecordOutcome, number>>();
  for (const group of groups)
    for (const name of VALUES[dimension](group)) {
      const counts = found.get(name) ?? { denied: 0, "would deny": 0, "audit denial": 0, probe: 0, allowed: 0 };
      found.set(name, counts);
      counts[group.outcome] += selection.count(group);
    }
  return [...found].map(([name, counts]) => ({ name, counts }));
}

function sumColumns(dimension: Dimension): readonly Column<Sum>[] {
  const shown: readonly RecordOutcome[] = dimension === "policy" ? ["denied", "would deny", "audit denial"] : ORDER;
  return [
    { title: dimension, value: ({ name }) => name, cell: ({ name }) => button(name, () => pick(dimension, name)) },
    { title: "decisions", value: ({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0) },
    ...shown.map((outcome) => ({
      title: OUTCOME_STYLES[outcome].title,
      value: ({ counts }: Sum) => counts[outcome],
    })),
  ];
}
