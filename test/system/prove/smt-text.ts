/** Glob patterns and texts in SMT-LIB 2.6. A UTF-16 code unit is a character with that number. */

/** A string literal (SMT-LIB, theory Strings). */
export function smtString(text: string): string {
  let literal = "";
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const isPlain = unit >= 0x20 && unit < 0x7f && unit !== 0x5c;
    literal += unit === 0x22 ? '""' : isPlain ? text[index] : `\\u{${unit.toString(16)}}`;
  }
  return `"${literal}"`;
}

/** All texts: sequences of code units. */
export const ANY_TEXT = '(re.* (re.range "\\u{0}" "\\u{ffff}"))';
const ANY_UNIT = '(re.range "\\u{0}" "\\u{ffff}")';
/** All code units except `/`. */
const NO_SLASH = '(re.union (re.range "\\u{0}" "\\u{2e}") (re.range "\\u{30}" "\\u{ffff}"))';
const PAIR = '(re.++ (re.range "\\u{d800}" "\\u{dbff}") (re.range "\\u{dc00}" "\\u{dfff}"))';
const ONE = `(re.union ${NO_SLASH} ${PAIR})`;

/** Texts of hexadecimal digits for a number of bytes. */
export function hexText(bytes: number): string {
  return `((_ re.loop ${2 * bytes} ${2 * bytes}) (re.union (re.range "0" "9") (re.range "a" "f")))`;
}

/**
 * The texts that a pattern of a scope matches (policy/scope/glob.ts). Null if it has surrogates, or several `?` one
 * after the other: a pattern is compared by code points, and such patterns have no simple form over code units.
 */
export function patternText(pattern: string): string | null {
  if (/[\ud800-\udfff]|\?[*?]*\?/.test(pattern)) return null;
  const wild: Readonly<Record<string, string>> = { "**": `(re.* ${ANY_UNIT})`, "*": `(re.* ${NO_SLASH})`, "?": ONE };
  const parts = Array.from(
    pattern.matchAll(/\*\*|[\s\S]/g),
    ([part]) => wild[part] ?? `(str.to_re ${smtString(part)})`,
  );
  if (parts.length === 0) return '(str.to_re "")';
  return parts.length === 1 ? parts[0]! : `(re.++ ${parts.join(" ")})`;
}
