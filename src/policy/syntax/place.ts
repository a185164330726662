/** A place in a text file. Line and column count from 1; columns are UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A place as text: `policies/tc.js:4:11`. */
export function placeOf(file: string, position: Position): string {
  return `${file}:${position.line}:${position.column}`;
}
