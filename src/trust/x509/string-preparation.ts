/**
 * Prepares a string of a name for comparison (RFC 5280 7.1, RFC 4518 2), ignoring case, compatibility forms, invisible
 * characters and the number of spaces between words. Returns null if RFC 4518 leaves the comparison undefined because a
 * code point is prohibited or unassigned, or if the string is too long. Invisible code points added after Unicode 3.2,
 * which RFC 4518 refers to, count as prohibited.
 */
export function prepare(characters: string): string | null {
  if (PLAIN.test(characters)) return characters.toLowerCase().trim().replace(/ +/g, " ");
  const mapped = characters.replace(TO_SPACE, " ").replace(TO_NOTHING, "");
  if (mapped.length > MAX_LENGTH || PROHIBITED.test(mapped)) return null;
  // RFC 3454 B.2 folds case for NFKC, whose result may contain letters that must be folded again
  const normal = foldCase(foldCase(mapped.normalize("NFD")).normalize("NFKC")).normalize("NFKC");
  return normal.replace(/ {2,}(?!\p{M})/gu, " ").replace(/^ (?!\p{M})| $/gu, "");
}

/**
 * In UTF-16 code units; applies to strings that are not ASCII only. Real attributes have at most 200. Ordering
 * combining marks takes quadratic time.
 */
const MAX_LENGTH = 1024;

const PLAIN = /^[\x20-\x7e]*$/;

/** RFC 4518 2.2: white space and separators. */
const TO_SPACE = /[\t-\r\x85\p{Z}]/gu;

/**
 * Characters that RFC 4518 2.2 deletes: soft hyphens, joiners, variation selectors, control characters, characters with
 * a control function.
 */
const TO_NOTHING = new RegExp(
  [
    String.raw`\u034f|[\u180b-\u180d\ufe00-\ufe0f]`,
    String.raw`[\p{Cc}\u00ad\u06dd\u070f\u1806\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f]`,
    String.raw`[\ufeff\ufff9-\ufffc\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]`,
  ].join("|"),
  "gu",
);

/**
 * RFC 4518 2.4: unassigned code points and non-characters, private use, surrogates, the replacement character.
 * Normalization produces none of them.
 */
const PROHIBITED = /[\p{Cn}\p{Co}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\ufffd]/u;

/**
 * Full case folding (Unicode's CaseFolding.txt, statuses C and F) by the platform's case mappings. Each letter is
 * mapped alone, so that a final sigma becomes an ordinary one, and through upper case, so that ß becomes ss. The
 * dotless i stays as it is.
 */
function foldCase(text: string): string {
  if (text.toLowerCase() === text && text.toUpperCase() === text) return text;
  return text.replace(CASED, (letter) =>
    Array.from(letter.toLowerCase().toUpperCase(), (capital) => capital.toLowerCase()).join(""),
  );
}

/** Letters that folding changes, and letters whose counterpart it would change (Cherokee folds to upper case). */
const CASED = /[\p{Changes_When_Casefolded}\p{Changes_When_Lowercased}]/gu;
