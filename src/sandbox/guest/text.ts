/** The longest string to examine after a decision. */
const MAX_JOINED = 64 * 1024;

/** The first `length` characters of a text. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/**
 * As {@link cut}, for reports after a decision, when no limit applies. A policy can make a string of a gigabyte cheaply
 * by repeated concatenation; QuickJS joins the parts at the first access, which takes a gigabyte and seconds.
 */
export function beginning(text: string, length: number): string {
  return text.length > MAX_JOINED ? `a text of ${text.length} characters` : cut(text, length);
}

/** Returns a string argument. Throws a TypeError if the policy gave anything else. */
export function stringOf(value: unknown, who: string): string {
  if (typeof value !== "string") throw new TypeError(`${who} is not a string`);
  return value;
}
