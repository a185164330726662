import type { Edits } from "./edits.js";
import { LineTable } from "./line-table.js";
import { placeOf } from "./place.js";

/** A file as it stands in the linked text. */
export interface Part {
  readonly file: string;
  readonly edits: Edits;
  /** The line of the linked text that the file's first one is, from 1; its others follow. */
  readonly start: number;
}

/**
 * Where in a policy's own files a place in the linked text is: `policies/tc.js:4:11`, or null for what the linker
 * wrote. For a read of a property, `property` is its name.
 */
export function locate(parts: readonly Part[], line: number, column: number, property?: string): string | null {
  const part = parts.findLast(({ start }) => start <= line);
  const offset = part?.edits.origin(line - part.start, column - 1) ?? null;
  return offset === null
    ? null
    : placeOf(part!.file, new LineTable(part!.edits.text).positionAt(readAt(part!.edits.text, offset, property)));
}

/**
 * The offset of the read of a property. The engine records a position for a member expression, but none for a
 * destructuring pattern: there it reports the position before, such as that of the function or of another member. The
 * read is then the first one behind it that spells the name.
 */
function readAt(text: string, offset: number, property: string | undefined): number {
  if (property === undefined || !/^\w+$/.test(property)) return offset;
  const behind = text.slice(offset, offset + property.length + 16);
  const named = MEMBER.exec(behind) ?? LITERAL_KEY.exec(behind);
  if (named === null ? COMPUTED_KEY.test(behind) : named[1] === property) return offset;
  const spelt = new RegExp(`(?<=[.{,["'\`]\\s*)${property}\\b`, "g");
  spelt.lastIndex = offset;
  return spelt.exec(text)?.index ?? offset;
}

/** What stands behind the object of a member expression. */
const MEMBER = /^(?:\?\.|\.)\s*(\w+)/;
const LITERAL_KEY = /^(?:\?\.)?\[\s*["'`](\w+)["'`]\s*\]/;
const COMPUTED_KEY = /^(?:\?\.)?\[/;
