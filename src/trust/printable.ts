/**
 * Text from outside as a message quotes it: backticks, control characters and everything that nobody sees, but for
 * plain spaces, are written as a backslash and the hex digits of their UTF-8 octets (the `hexpair` of RFC 4514 2.4), a
 * backslash as two.
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
