/** The user's word in backticks, truncated to 80 characters. */
export function quoted(word: unknown): string {
  const text = String(word);
  return `\`${text.length > 80 ? `${text.slice(0, 79)}…` : text}\``;
}
