import { stripVTControlCharacters } from "node:util";
import { styled } from "./output.js";

/** Rows in columns as wide as they need to be; the last one, such as a reason, takes what it takes. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head.map((word) => styled("bold", word)), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join("  "),
    )
    .join("\n");
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

function pad(cell: string, to: number): string {
  return cell + " ".repeat(to - width(cell));
}
