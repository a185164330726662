import type { Reached, TextAutomaton } from "./inverse.js";

/** A text must be accepted by an automaton, or must not. */
export interface TextRule {
  readonly automaton: TextAutomaton;
  readonly is: boolean;
}

const MOST_STATES = 3_000;

/**
 * Short texts that satisfy all rules, the shortest first, at most `count`. An empty array means that there are none at
 * all; null that none was found.
 */
export function wordsOf(rules: readonly TextRule[], count: number): readonly string[] | null {
  const letters = lettersOf(rules);
  const found: string[] = [];
  const visits = new Map<string, number>();
  let level: { readonly text: string; readonly at: readonly Reached[] }[] = [
    { text: "", at: rules.map(({ automaton }) => automaton.begin()) },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { text, at } of level) {
      const accepted = rules.every(({ is }, index) => at[index]!.accepts === is);
      if (accepted && found.push(text) >= count) return found;
      for (const letter of letters) {
        const reached = rules.map(({ automaton }, index) => automaton.step(at[index]!, letter));
        const key = reached.map(({ number }) => number).join();
        const before = visits.get(key) ?? 0;
        // A state is visited as often as it can begin another of the texts that are wanted
        if (before >= count) continue;
        if (visits.size >= MOST_STATES) return found.length > 0 ? found : null;
        visits.set(key, before + 1);
        next.push({ text: text + String.fromCharCode(letter), at: reached });
      }
    }
    level = next;
  }
  return found;
}

/** One code unit for each set of them that no rule tells apart, a readable one if there is any. */
function lettersOf(rules: readonly TextRule[]): readonly number[] {
  const bounds = new Set([0]);
  for (const { automaton } of rules)
    for (const [from, to] of automaton.units) {
      bounds.add(from);
      if (to < 0xffff) bounds.add(to + 1);
    }
  const starts = [...bounds].sort((one, other) => one - other);
  const letters = starts.map((from, index) => readable(from, (starts[index + 1] ?? 0x10000) - 1));
  return letters.sort((one, other) => rank(one) - rank(other));
}

const RANGES = [
  [0x61, 0x7a],
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x21, 0x7e],
] as const;

function readable(from: number, to: number): number {
  for (const [low, high] of RANGES) {
    const first = Math.max(from, low);
    if (first <= Math.min(to, high)) return first;
  }
  return from;
}

function rank(unit: number): number {
  const found = RANGES.findIndex(([low, high]) => unit >= low && unit <= high);
  return found === -1 ? RANGES.length : found;
}
