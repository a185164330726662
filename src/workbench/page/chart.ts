import uPlot from "uplot";
import type { GroupData, ReportData } from "../report/report-data.js";
import { element, number } from "./element.js";
import { ORDER, OUTCOME_STYLES } from "./outcomes.js";

const HEIGHT = 260;
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** Distances of the marks of time, in seconds. */
const TIMES: number[] = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14].map((count) => count * DAY),
  ...[1, 2, 3, 6].map((count) => count * 30 * DAY),
  ...[1, 2, 5, 10].map((count) => count * 365 * DAY),
];

/**
 * How times are written, by the distance of the marks, as uPlot has it: by itself, and below it where the year, the day
 * or the minute is another one.
 */
const TIME_FORMATS: (string | number | null)[][] = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [DAY, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [MINUTE, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

/** Distances of the marks of numbers of decisions. */
const COUNTS: number[] = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** Decisions over time as stacked bars, one colour for each outcome. Dragging selects a range of time. */
export class Chart {
  readonly node = element("div", { id: "chart" });
  readonly #plot: uPlot;
  readonly #from: number;
  readonly #count: number;
  #isWhole = true;

  /** `onRange` gets the first and last period that are shown; null for all. */
  constructor(
    private readonly data: ReportData,
    onRange: (range: readonly [number, number] | null) => void,
  ) {
    // boundaries of periods are multiples of their length
    this.#from = Math.floor((data.from ?? 0) / data.period) * data.period;
    this.#count = Math.floor(((data.to ?? this.#from) - this.#from) / data.period) + 1;
    const bars = uPlot.paths.bars!({ size: [1, 200], align: 1, gap: 1 });
    const series = [...ORDER].reverse().map((outcome) => {
      const { title, colour } = OUTCOME_STYLES[outcome];
      return { label: title, fill: colour, stroke: colour, width: 0, paths: bars, points: { show: false } };
    });
    let isDrawn = false;
    this.#plot = new uPlot(
      {
        width: 800,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
        axes: [
          { ...axis(), incrs: TIMES, values: TIME_FORMATS },
          { ...axis(), size: 70, incrs: COUNTS, values: (_, values) => values.map((value) => number(value)) },
        ],
        series: [{}, ...series],
        legend: { show: false },
        cursor: { y: false },
        hooks: {
          setScale: [
            (plot, key) => {
              if (key !== "x" || !isDrawn) return;
              const range = [plot.scales.x?.min, plot.scales.x?.max].map((seconds) => this.#periodAt(seconds ?? 0));
              const [first, last] = range as [number, number];
              this.#isWhole = first <= 0 && last >= this.#count - 1;
              onRange(this.#isWhole ? null : [first, last]);
            },
          ],
        },
      },
      this.#values([]),
      this.node,
    );
    isDrawn = true;
    const fit = () => this.#plot.setSize({ width: Math.max(300, this.node.clientWidth), height: HEIGHT });
    new ResizeObserver(fit).observe(this.node);
  }

  /** Shows these groups; the selected range of time stays. */
  show(groups: readonly GroupData[]): void {
    const { min, max } = this.#plot.scales.x!;
    this.#plot.setData(this.#values(groups), this.#isWhole);
    // The height of the bars is found anew only with the range
    if (!this.#isWhole) this.#plot.setScale("x", { min: min!, max: max! });
  }

  #periodAt(seconds: number): number {
    return Math.floor((seconds * 1000 - this.#from) / this.data.period);
  }

  /**
   * Times in seconds, then for each series the sum of its outcome and all below it; the highest is drawn first. The
   * last time is the end of the last bar, which would be outside of the chart otherwise.
   */
  #values(groups: readonly GroupData[]): uPlot.AlignedData {
    const length = this.#count + 1;
    const times = Array.from({ length }, (_, at) => (this.#from + at * this.data.period) / 1000);
    const counts = new Map(ORDER.map((outcome) => [outcome, new Array<number>(length).fill(0)]));
    for (const group of groups) {
      const its = counts.get(group.outcome);
      if (its === undefined) continue;
      for (let at = 0; at < group.periods.length; at += 2)
        its[group.periods[at] as number]! += group.periods[at + 1] as number;
    }
    const sums: number[][] = [];
    for (const outcome of ORDER) {
      const below = sums.at(-1);
      sums.push(counts.get(outcome)!.map((count, at) => count + (below?.[at] ?? 0)));
    }
    return [times, ...sums.reverse()];
  }
}

function axis(): uPlot.Axis {
  const style = getComputedStyle(document.body);
  return { stroke: style.color, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8884", width: 1 } };
}
