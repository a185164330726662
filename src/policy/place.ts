/** A place in a text file, both counted from 1; columns are UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `policies/tc.js:4:11` */
export function placeOf(file: string, position: Position): string {
  return `${file}:${position.line}:${position.column}`;
}

/** Where an offset of a text is; lines end at LF. */
export function positionAt(text: string, offset: number): Position {
  const before = text.lastIndexOf("\n", offset - 1);
  let line = 1;
  for (let at = before; at !== -1; at = at === 0 ? -1 : text.lastIndexOf("\n", at - 1)) line++;
  return { line, column: offset - before };
}
