import { EFFECTS, type EffectName, type Evidence } from "../../bpf/model/facts.js";

/**
 * Adds to a policy's reason why the effects that it uses are true. A policy uses the effects that its text names; if it
 * names `read_only`, it also uses every effect that makes `read_only` false.
 */
export class EvidenceOf {
  private named: ReadonlySet<string> | null = null;

  /** `source` is the linked policy's text. It is searched at the first call of {@link in}. */
  constructor(private readonly source: string) {}

  private get words(): ReadonlySet<string> {
    this.named ??= new Set([...wordsIn(this.source)].filter((word) => NAMES.has(word)));
    return this.named;
  }

  /** One line for each used effect of a program, from the first instruction that has it; at most MAX_LINES. */
  in(subject: object): readonly string[] {
    const { evidence } = subject as { evidence?: readonly Evidence[] };
    const { words } = this;
    if (evidence === undefined || words.size === 0) return [];
    const first = new Map<EffectName, Evidence>();
    for (const one of evidence)
      if (!first.has(one.effect) && (words.has(one.effect) || (one.ends_read_only && words.has("read_only"))))
        first.set(one.effect, one);
    return [...first.values()].slice(0, MAX_LINES).map(lineOf);
  }
}

const NAMES: ReadonlySet<string> = new Set([...EFFECTS, "read_only"]);
const MAX_LINES = 3;

/** The words in a policy's text that can name a fact: property names, and words in strings and patterns. */
export function wordsIn(source: string): ReadonlySet<string> {
  return new Set(Array.from(source.matchAll(/(?:\.|["'`{,]\s*)([a-z]+(?:_[a-z]+)*)\b/g), ([, word]) => word as string));
}

function lineOf({ effect, insn, text, source, because }: Evidence): string {
  if (insn === null) return `${effect}: ${because}`;
  if (source !== null) return `${effect}: ${because} at ${source} (instruction ${insn})`;
  return `${effect}: ${because} at instruction ${insn}${text === null ? "" : ` \`${text}\``}`;
}
