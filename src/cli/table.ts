import { stripVTControlCharacters } from "node:util";
import { styled } from "./output.js";

/**
 * Rows in columns as wide as they need to be. The last one, such as a reason, takes what it takes: on a terminal it
 * goes on below itself rather than at the left edge. `columns` is how wide the terminal is; without one, lines are as
 * long as they are.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY,
): string {
  const all = [head.map((word) => styled("bold", word)), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  const indent = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  return all
    .map((row) => {
      const last = wrapped(row.at(-1) ?? "", columns - indent).join(`\n${" ".repeat(indent)}`);
      return [...row.slice(0, -1).map((cell, column) => pad(cell, widths[column] ?? 0)), last].join(GAP);
    })
    .join("\n");
}

const GAP = "  ";
/** A column narrower than this is better left to the terminal. */
const NARROW = 24;

/** Words in lines of at most so many characters; a longer word stands alone. */
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
