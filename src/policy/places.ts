import type { Edits } from "./edits.js";
import type { LineTable } from "./line-table.js";
import { placeOf } from "./place.js";

/** A file as it stands in the linked text. */
export interface Part {
  readonly file: string;
  readonly edits: Edits;
  /** Of the file's own text. */
  readonly lines: LineTable;
  /** The line of the linked text that the file's first one is, from 1; its others follow. */
  readonly start: number;
}

/** Where in a policy's own files a place in the linked text is: `policies/tc.js:4:11`, or null for what the linker wrote. */
export function locate(parts: readonly Part[], line: number, column: number): string | null {
  const part = parts.findLast(({ start }) => start <= line);
  const offset = part?.edits.origin(line - part.start, column - 1) ?? null;
  return offset === null ? null : placeOf(part!.file, part!.lines.positionAt(offset));
}
