/**
 * The candidate that a misspelt word most likely meant: the one with the smallest edit distance, of at most a third of
 * the word's length. Null if there is none.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const far = distance(word, candidate, least);
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
}

/** ` (did you mean \`x\`?)`, or the empty string. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const close = nearest(word, candidates);
  return close === null ? "" : ` (did you mean \`${close}\`?)`;
}

/**
 * The edit distance, where swapping two adjacent letters is one edit (optimal string alignment). Returns `bound` as
 * soon as the distance cannot be smaller.
 */
function distance(left: string, right: string, bound: number): number {
  if (Math.abs(left.length - right.length) >= bound) return bound;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  let before: number[] = [];
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const changed = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const swapped = isSwapped ? before[j - 2]! + 1 : bound;
      next.push(Math.min(changed, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    if (Math.min(...next) >= bound) return bound;
    before = row;
    row = next;
  }
  return row[right.length]!;
}
