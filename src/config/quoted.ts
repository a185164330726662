/** The user's own words, bounded. */
export function quoted(word: unknown): string {
  const text = String(word);
  return `\`${text.length > 80 ? `${text.slice(0, 79)}…` : text}\``;
}
