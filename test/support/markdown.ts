/** The cells of each row of a Markdown table, or of every table in a text, without the heads. */
export function rowsOf(text: string): string[][] {
  const tables = text.split(/\n(?!\|)/).map((block) => block.split("\n").filter((line) => line.startsWith("|")));
  return tables
    .flatMap((rows) => rows.slice(2))
    .map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}
