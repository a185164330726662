/**
 * The form in which two strings of a name are compared (RFC 5280 7.1, RFC 4518 2): without regard to case, to
 * compatibility forms, to characters that nobody sees, and to how many spaces are between words. Null where RFC 4518
 * leaves the comparison undefined, because a code point is prohibited or unassigned, and where the string is too long.
 * An invisible code point that came after the Unicode 3.2 of RFC 4518, and so is unassigned there, is prohibited as
 * well.
 */
export function prepare(characters: string): string | null {
  if (PLAIN.test(characters)) return characters.toLowerCase().trim().replace(/ +/g, " ");
  const mapped = characters.replace(TO_SPACE, " ").replace(TO_NOTHING, "");
  if (mapped.length > MAX_LENGTH || PROHIBITED.test(mapped)) return null;
  // RFC 3454 B.2 folds for NFKC, which may give letters that have to be folded again
  const normal = foldCase(foldCase(mapped.normalize("NFD")).normalize("NFKC")).normalize("NFKC");
  return normal.replace(/ {2,}(?!\p{M})/gu, " ").replace(/^ (?!\p{M})| $/gu, "");
}

/**
 * In UTF-16, of what is not ASCII alone: attributes have 64 characters, some 200. Putting marks in order takes
 * quadratic time.
 */
const MAX_LENGTH = 1024;

const PLAIN = /^[\x20-\x7e]*$/;

/** RFC 4518 2.2: white space and separators. */
const TO_SPACE = /[\t-\r\x85\p{Z}]/gu;

/**
 * RFC 4518 2.2 lists them: soft hyphens, joiners, variation selectors, control characters, characters with a control
 * function.
 */
const TO_NOTHING =
  /\u034f|[\u180b-\u180d\ufe00-\ufe0f]|[\p{Cc}\u00ad\u06dd\u070f\u1806\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffc\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/gu;

/**
 * RFC 4518 2.4: unassigned (non-characters too), private use, surrogates, the replacement character. Normalization
 * makes none of them.
 */
const PROHIBITED = /[\p{Cn}\p{Co}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\ufffd]/u;

/**
 * Full case folding (Unicode's CaseFolding.txt, C and F), made of the platform's case mappings: each letter by itself,
 * so that a sigma at a word's end is a sigma; and by way of capitals, so that ß is ss. A dotless i is not an i: folding
 * leaves it alone.
 */
function foldCase(text: string): string {
  if (text.toLowerCase() === text && text.toUpperCase() === text) return text;
  return text.replace(CASED, (letter) =>
    Array.from(letter.toLowerCase().toUpperCase(), (capital) => capital.toLowerCase()).join(""),
  );
}

/** Letters that folding changes, and those whose counterpart it would change (Cherokee folds to capitals). */
const CASED = /[\p{Changes_When_Casefolded}\p{Changes_When_Lowercased}]/gu;
