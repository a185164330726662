import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** The report as Markdown, and how many of the ratios asked for were missed. */
export function markdown(sections) {
  const parts = sections.map(({ title, measured }) => section(title, measured));
  const lines = ["# Benchmarks", "", "Written by `npm run bench`, in one run.", "", machine(), ""];
  return {
    text: [...lines, ...parts.map(({ text }) => text)].join("\n"),
    missed: parts.reduce((sum, { missed }) => sum + missed, 0),
  };
}

/** One table of it. */
export function section(title, measured) {
  let missed = 0;
  const lines = [`## ${title}`, "", "| row | p50 µs | p99 µs | asked for |", "| --- | ---: | ---: | --- |"];
  const known = new Map(measured.map((row) => [row.name, row]));
  for (const row of measured) {
    const asked = (row.asked ?? []).map((one) => judge(row, one, known));
    if (row.limit !== undefined)
      asked.push({
        met: row.figure <= row.limit,
        text: `at most ${row.limit} ${row.unit}: ${row.figure <= row.limit ? "met" : "MISSED"}`,
      });
    missed += asked.filter(({ met }) => met === false).length;
    const said = [row.note, ...asked.map(({ text }) => text)].filter((text) => text !== undefined).join("; ");
    lines.push(`| ${row.name} | ${figures(row)} | ${said} |`);
  }
  return { text: [...lines, ""].join("\n"), missed };
}

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));
/** What needs root and a kernel is measured in a run of its own, and stands last. */
const LIVE = "\n---\n";

/** Writes all that `npm run bench` measures, and keeps what the other run measured. */
export function writeResults(text) {
  const [, live] = readFileSync(RESULTS, "utf8").split(LIVE);
  writeFileSync(RESULTS, live === undefined ? text : `${text}${LIVE}${live}`);
}

/** The same for what `npm run bench:system` measures. */
export function writeLive(text) {
  const [offline] = readFileSync(RESULTS, "utf8").split(LIVE);
  writeFileSync(
    RESULTS,
    `${offline}${LIVE}\nWritten by \`npm run bench:system\`, in one run.\n\n${machine()}\n\n${text}`,
  );
}

function figures(row) {
  if (row.missing !== undefined) return `not measured: ${row.missing} |`;
  return row.figure !== undefined ? `${round(row.figure)} ${row.unit} |` : `${round(row.p50)} | ${round(row.p99)}`;
}

function judge(row, { of, atMost }, known) {
  const other = known.get(of);
  if (other?.p50 === undefined || row.p50 === undefined) return { met: undefined, text: `\`${of}\` was not measured` };
  const ratio = row.p50 / other.p50;
  return {
    met: ratio <= atMost,
    text: `${ratio.toFixed(3)} of \`${of}\`, at most ${atMost}: ${ratio <= atMost ? "met" : "MISSED"}`,
  };
}

function round(value) {
  if (value < 0) return `-${round(-value)}`;
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function machine() {
  const cores = cpus();
  return (
    `${cores.length} × ${cores[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `Linux ${release()}, node ${process.version}, ${process.arch}.`
  );
}
