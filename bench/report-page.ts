import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { giveInstalled } from "../src/installed.js";
import { Report } from "../src/workbench/report.js";
import { reportPage } from "../src/workbench/report-page.js";
import { Browser, hasBrowser } from "../test/support/browser.js";
import { manyDecisions } from "../test/support/many-decisions.js";
import type { Figure, Missing } from "./row.js";

export const title = "The page of a report, in Chromium";

const DECISIONS = 1_000_000;
const ROUNDS = 7;

/** From the start of the navigation until the page has run its scripts and was drawn, the median of some openings. */
export async function rows(): Promise<(Figure | Missing)[]> {
  const name = `report of ${DECISIONS.toLocaleString("en-US")} decisions: opened`;
  if (!hasBrowser) return [{ name, missing: "chromium-headless-shell is not installed" }];
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  // the bundle of the benchmarks is not that of the project
  const bundled = ["report.js", "report.css"].map((file) => join(import.meta.dirname, "../../../dist", file));
  giveInstalled(new Map(bundled.map((path) => [`bundle:${basename(path)}`, { path, bytes: readFileSync(path) }])));
  const report = new Report();
  for (const record of manyDecisions(DECISIONS)) report.add(record);
  const file = join(folder, "report.html");
  writeFileSync(file, reportPage(report.data(["decisions.jsonl"])));
  const { size } = statSync(file);
  const browser = await Browser.open();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await browser.go(pathToFileURL(file).href);
    times.push(Number(await browser.evaluate(DRAWN)));
  }
  await browser.close();
  rmSync(folder, { recursive: true });
  const median = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  return [
    { name, figure: Math.round(median), unit: "ms", limit: 2000 },
    { name: "the same: size", figure: Number((size / 1e6).toFixed(2)), unit: "MB", limit: 5 },
  ];
}

/** Milliseconds since the start of the navigation, when the next picture has been drawn. */
const DRAWN = `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))`;
