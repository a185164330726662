// RESULTS.md as data: tables of one subject each, with the same columns. Benchmarks replace their rows in it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));
const COLUMNS = ["row", "figure", "asked", "machine", "date", "commit"];
const MACHINES = "Machines";
/** What has no value, or none that is known. */
const NONE = "-";

/**
 * The text of RESULTS.md as `{ head, machines, subjects }`: the text before the first table, descriptions of machines
 * by their letter, and objects by the names of {@link COLUMNS} for each subject.
 */
export function parse(text) {
  const [head = "", ...parts] = text.split(/^## /m);
  const tables = new Map(parts.map((part) => tableIn(part)));
  const machines = new Map(tables.get(MACHINES) ?? []);
  tables.delete(MACHINES);
  const rowOf = (cells) => Object.fromEntries(COLUMNS.map((column, index) => [column, cells[index] ?? NONE]));
  return { head, machines, subjects: new Map([...tables].map(([subject, rows]) => [subject, rows.map(rowOf)])) };
}

function tableIn(part) {
  const [title = "", ...lines] = part.split("\n");
  const rows = lines.filter((line) => line.startsWith("| ")).map((line) => line.slice(2, -2).split(" | "));
  return [title, rows.slice(2)];
}

/** The text of RESULTS.md. */
export function render({ head, machines, subjects }) {
  const table = (title, columns, rows) =>
    [`## ${title}`, "", line(columns), line(columns.map(() => "---")), ...rows.map(line), ""].join("\n");
  const cells = (row) => COLUMNS.map((column) => row[column]);
  const tables = [...subjects].map(([subject, rows]) => table(subject, COLUMNS, rows.map(cells)));
  return `${head}${[table(MACHINES, ["machine", "what it is"], [...machines]), ...tables].join("\n")}`;
}

function line(cells) {
  return `| ${cells.join(" | ")} |`;
}

/**
 * Puts rows into the table of their subject: each in the place of the row with its name that was measured on the same
 * machine, and others at its end. A machine that has no letter gets the next one.
 */
export function merge({ head, machines, subjects }, { subject, rows, machine, date, commit }) {
  const known = [...machines].find(([, description]) => description === machine)?.[0];
  const letter = known ?? String.fromCharCode("A".charCodeAt(0) + machines.size);
  const table = [...(subjects.get(subject) ?? [])];
  for (const { row, figure, asked } of rows) {
    const index = table.findIndex((other) => other.row === row && other.machine === letter);
    const measured = { row, figure, asked: asked === "" ? NONE : asked, machine: letter, date, commit };
    table.splice(index < 0 ? table.length : index, 1, measured);
  }
  return {
    head,
    machines: new Map(machines).set(letter, machine),
    subjects: new Map(subjects).set(subject, table),
  };
}

/** Writes rows, `{ row, figure, asked }`, to RESULTS.md, by subject, with the machine, today's date and the commit. */
export function writeResults(tables, machine = thisMachine()) {
  const git = (...words) => execFileSync("git", words, { cwd: fileURLToPath(new URL(".", import.meta.url)) });
  const changed = git("status", "--porcelain", "--untracked-files=no").length > 0;
  const commit = `${git("rev-parse", "--short", "HEAD").toString().trim()}${changed ? " and changes" : ""}`;
  const date = new Date().toISOString().slice(0, 10);
  let results = parse(readFileSync(RESULTS, "utf8"));
  for (const [subject, rows] of Object.entries(tables))
    results = merge(results, { subject, rows, machine, date, commit });
  writeFileSync(RESULTS, render(results));
}

/** The description of a guest of `bench/seal*.mjs`. */
export function countingGuest(kernel) {
  return `guest with Linux ${kernel} whose clock counts instructions (\`-icount shift=0\`)`;
}

function thisMachine() {
  const cores = cpus();
  return (
    `${cores.length} × ${cores[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `Linux ${release()}, node ${process.version}, ${process.arch}`
  );
}
