/** A place in a text file, both counted from 1; columns are UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `policies/tc.js:4:11` */
export function placeOf(file: string, position: Position): string {
  return `${file}:${position.line}:${position.column}`;
}
