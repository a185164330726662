import { isDeepStrictEqual } from "node:util";
import { Document, type Path } from "./document.js";
import { written } from "./issue.js";
import { PREVIOUS_SPELLINGS, type PreviousSpelling, renamedKey, renamedValue } from "./previous-spellings.js";
import { quoted } from "./quoted.js";

/** A previous spelling in a file. */
export interface SpellingChange {
  /** `file:line:column` in the original file. */
  readonly place: string;
  /** Path of the key, such as `attachments[0].limits.timeout`. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Replaces the previous spellings in the text of a configuration or of a policy's test, and nothing else: comments and
 * layout stay. The text need not be a valid configuration, but must be valid YAML. Throws CONFIG_INVALID.
 */
export function upgradeSpellings(
  file: string,
  text: string,
  spellings: readonly PreviousSpelling[] = PREVIOUS_SPELLINGS,
): { readonly text: string; readonly changes: readonly SpellingChange[] } {
  const document = new Document(file, text, "CONFIG_INVALID");
  const search: Search = { document, spellings, found: [] };
  const value = replaced(search, document.value, []);
  const { found } = search;
  const upgraded = document.respelled(found);
  // An alias can repeat a value at a path where the same word is not a previous spelling.
  if (!isDeepStrictEqual(new Document(file, upgraded, "CONFIG_INVALID").value, value)) throw shared(document, found);
  return { text: upgraded, changes: found.map((one) => changeOf(document, one)) };
}

/** A key or value to be replaced. */
interface Replacement {
  readonly path: Path;
  readonly what: "key" | "value";
  readonly from: string;
  readonly to: string;
}

/** A search for previous spellings in a document, which finds them in document order. */
interface Search {
  readonly document: Document;
  readonly spellings: readonly PreviousSpelling[];
  readonly found: Replacement[];
}

/** The value at `path` in the new spelling. Appends the replacements to `found`. */
function replaced(search: Search, value: unknown, path: Path): unknown {
  const { document, spellings, found } = search;
  if (Array.isArray(value)) return value.map((item, index) => replaced(search, item, [...path, index]));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, held]) => {
      const at = [...path, key];
      const to = renamedKey(at, spellings);
      if (to !== null && Object.hasOwn(value, to))
        throw document.error(
          at,
          `${quoted(key)} is the previous spelling of ${quoted(to)}, which is there too`,
          "remove one of them",
          "key",
        );
      if (to !== null) found.push({ path: at, what: "key", from: key, to });
      return [to ?? key, replaced(search, held, at)] as const;
    });
    return Object.fromEntries(entries);
  }
  const to = renamedValue(path, value, spellings);
  if (to !== null) found.push({ path, what: "value", from: String(value), to });
  return to ?? value;
}

function changeOf(document: Document, { path, what, from, to }: Replacement): SpellingChange {
  return { place: document.place(path, what), path: written(path), from, to };
}

function shared(document: Document, found: readonly Replacement[]): Error {
  const { path, what, from, to } = found[0]!;
  const which = `${quoted(from)} cannot be replaced by ${quoted(to)} here`;
  const message = `${which}: an alias repeats a changed value elsewhere`;
  return document.error(path, message, "write the values out instead of the aliases, then upgrade", what);
}
