/** Halves of surrogate pairs, which JSON can have, and which no UTF-8 text has. */
const LONE = /\p{Surrogate}/gu;

export function isWellFormed(text: string): boolean {
  return text.search(LONE) === -1;
}

/** The text with U+FFFD in the place of each half of a surrogate pair. */
export function wellFormed(text: string): string {
  return text.replace(LONE, "\ufffd");
}
