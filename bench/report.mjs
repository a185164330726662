/**
 * Measured rows as those of a table: see {@link tableOf}. A ratio that is asked for compares the row with another one.
 * A `floor` is the figure of a gate in node that does the least of the same work, and is no limit.
 */
export function judged(measured) {
  const known = new Map(measured.map((row) => [row.name, row]));
  const rows = measured.map((row) => {
    const asked = (row.asked ?? []).map((one) => compared(row, one, known));
    if (row.limit !== undefined) asked.push(verdict(row.figure <= row.limit, `at most ${row.limit} ${row.unit}`));
    if (row.floor !== undefined) asked.push({ text: `floor of node: ${round(row.floor)} ${row.unit}` });
    return { row: row.note === undefined ? row.name : `${row.name} (${row.note})`, figure: figureOf(row), asked };
  });
  return tableOf(rows);
}

/** Rows of RESULTS.md, and how many verdicts among what is `asked` of them are false: `{ rows, missed }`. */
export function tableOf(rows) {
  const missed = rows.flatMap(({ asked }) => asked).filter(({ met }) => met === false).length;
  return { rows: rows.map((row) => ({ ...row, asked: row.asked.map(({ text }) => text).join("; ") })), missed };
}

/** A limit, and whether it was met. */
export function verdict(met, text) {
  return { met, text: `${text}: ${met ? "met" : "MISSED"}` };
}

/** Rows as text for a terminal. */
export function printed(title, rows) {
  const lines = rows.map(({ row, figure, asked }) => `  ${row}: ${figure}${asked === "" ? "" : `; ${asked}`}`);
  return [title, ...lines, ""].join("\n");
}

function figureOf(row) {
  if (row.missing !== undefined) return `not measured: ${row.missing}`;
  if (row.figure !== undefined) return `${round(row.figure)} ${row.unit}`;
  return `p50 ${round(row.p50)} µs, p99 ${round(row.p99)} µs`;
}

function compared(row, { of, atMost }, known) {
  const other = known.get(of);
  if (other?.p50 === undefined || row.p50 === undefined) return { text: `\`${of}\` was not measured` };
  const ratio = row.p50 / other.p50;
  return verdict(ratio <= atMost, `${ratio.toFixed(3)} of \`${of}\`, at most ${atMost}`);
}

function round(value) {
  if (value < 0) return `-${round(-value)}`;
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
