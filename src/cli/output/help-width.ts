/** Texts of help are written for 120 columns. Lines of at least this many characters go on in the next line. */
const FULL = 90;
/** A terminal that is narrower gets lines of this length. */
const LEAST = 80;

/** The width to which a stream's help is wrapped; null if the stream is no terminal, or wide enough. */
export function helpWidth({ isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): number | null {
  return isTTY === true && columns < 120 ? Math.max(LEAST, columns) : null;
}

/**
 * Wraps prose, and the right column of tables, to lines of at most `width` characters. Other indented lines, such as
 * commands of examples, stay as they are, so that they can be copied.
 */
export function wrapText(text: string, width: number): string {
  return joined(text.split("\n"))
    .flatMap((line) => wrapped(line, width))
    .join("\n");
}

/** A row of a table: an indented term, at least two spaces, and its description. Commands can have a comment there. */
const ROW = /^(?! *countersign )( {2,}\S+(?: \S+)* {2,})(?=\S)/;

/** The lines, with those that were wrapped made one again. */
function joined(lines: readonly string[]): string[] {
  const whole: string[] = [];
  let column = 0;
  let isFull = false;
  for (const line of lines) {
    const indent = line.length - line.trimStart().length;
    if (isFull && line !== "" && indent === column && !ROW.test(line)) whole[whole.length - 1] += ` ${line.trim()}`;
    else {
      whole.push(line);
      column = ROW.exec(line)?.[1]?.length ?? indent;
    }
    isFull = line.length >= FULL && (column === 0 || column > 2);
  }
  return whole;
}

function wrapped(line: string, width: number): string[] {
  const term = ROW.exec(line)?.[1] ?? "";
  if (line.length <= width || (term === "" && line.startsWith(" "))) return [line];
  const lines: string[] = [];
  let current = term;
  let isEmpty = true;
  for (const word of line.slice(term.length).split(" ")) {
    if (!isEmpty && current.length + 1 + word.length > width) {
      lines.push(current);
      current = " ".repeat(term.length);
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current];
}
