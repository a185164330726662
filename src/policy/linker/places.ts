import { LineTable } from "../syntax/line-table.js";
import { placeOf } from "../syntax/place.js";
import type { Edits } from "../units/edits.js";

/** A file within the linked text. */
export interface Part {
  readonly file: string;
  readonly edits: Edits;
  /** Number of the line in the linked text, from 1, at which the file begins. The file's lines are consecutive. */
  readonly start: number;
}

/**
 * The place in a policy's own files of a place in the linked text, such as `policies/tc.js:4:11`; null for code that
 * the linker added. For a read of a property, `property` is its name.
 */
export function locate(parts: readonly Part[], line: number, column: number, property?: string): string | null {
  const part = parts.findLast(({ start }) => start <= line);
  const offset = part?.edits.origin(line - part.start, column - 1) ?? null;
  return offset === null
    ? null
    : placeOf(part!.file, new LineTable(part!.edits.text).positionAt(readAt(part!.edits.text, offset, property)));
}

/**
 * The offset at which a property is read. QuickJS records positions of member expressions, but not of destructuring
 * patterns: there it reports an earlier position, such as that of the function or of another member. In that case the
 * read is the first occurrence of the name after that position.
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

/** The text after the object of a member expression. */
const MEMBER = /^(?:\?\.|\.)\s*(\w+)/;
const LITERAL_KEY = /^(?:\?\.)?\[\s*["'`](\w+)["'`]\s*\]/;
const COMPUTED_KEY = /^(?:\?\.)?\[/;
