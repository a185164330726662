import { stripVTControlCharacters } from "node:util";
import { styled } from "./output.js";

/**
 * Formats rows in columns. Each column is as wide as its longest cell, except the last: on a terminal it is wrapped
 * within its column. `columns` is the width of the terminal; without a terminal nothing is wrapped.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY,
): string {
  const all = [head.map((word) => styled("bold", word)), ...rows];
  const widths = head.map((_, column) => all.reduce((most, row) => Math.max(most, width(row[column] ?? "")), 0));
  const indent = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  return all
    .map((row) => {
      const last = wrapped(row.at(-1) ?? "", columns - indent).join(`\n${" ".repeat(indent)}`);
      return [...row.slice(0, -1).map((cell, column) => pad(cell, widths[column] ?? 0)), last].join(GAP);
    })
    .join("\n");
}

/** A table that stands alone, in text or on a page. */
export interface TitledTable {
  /** A heading for forms that have some; text has the names of the columns alone. */
  readonly title: string;
  readonly head: readonly string[];
  /** Without rows only the lines below are shown. */
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly below: readonly string[];
}

/** The table, then what is below it after an empty line. */
export function titledText({ head, rows, below }: TitledTable): string {
  const parts = [...(rows.length === 0 ? [] : [table(head, rows)]), ...(below.length === 0 ? [] : [below.join("\n")])];
  return parts.join("\n\n");
}

const GAP = "  ";
/** Below this width the last column is not wrapped here. */
const NARROW = 24;

/** Wraps text at spaces to `room` columns. A longer word has a line of its own. */
function wrapped(text: string, room: number): string[] {
  if (room < NARROW || width(text) <= room) return [text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || width(line) > room) lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return lines;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

function pad(cell: string, to: number): string {
  return cell + " ".repeat(to - width(cell));
}
