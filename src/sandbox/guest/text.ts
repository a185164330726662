/** Characters of a string that is looked into at all, once a decision is over. */
const MAX_JOINED = 64 * 1024;

/** The first so many characters of a text. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/**
 * The same, for what is told once a decision is over and no limit holds any more. A policy makes a string of a gigabyte for
 * nothing by joining one to itself; it takes a gigabyte, and seconds, to look at its first character.
 */
export function beginning(text: string, length: number): string {
  return text.length > MAX_JOINED ? `a text of ${text.length} characters` : cut(text, length);
}

/** What must be a string. Throws a TypeError for whatever else the policy gave. */
export function stringOf(value: unknown, who: string): string {
  if (typeof value !== "string") throw new TypeError(`${who} is not a string`);
  return value;
}
