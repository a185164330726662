/** A parser's message for use after a colon: without its place and without a capital letter. */
export function parserMessage(message: string): string {
  const text = message.replace(/ \(\d+:\d+\)$/, "");
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
