/**
 * Escapes text from outside for a message: backticks, control characters and invisible characters, except plain spaces,
 * become backslashes with the hex digits of their UTF-8 octets (the `hexpair` of RFC 4514 2.4); a backslash becomes
 * two.
 */
export function printable(text: string): string {
  return text.replace(UNSEEN, (found) => (found === "\\" ? "\\\\" : hexPairs(found)));
}

/** `\0A` for a line feed. */
function hexPairs(characters: string): string {
  return Buffer.from(characters)
    .toString("hex")
    .toUpperCase()
    .replace(/../g, (pair) => `\\${pair}`);
}

const UNSEEN = /\\|(?:[`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs})+/gu;
