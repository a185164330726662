import { EFFECTS, type EffectName, type Evidence } from "../bpf/facts.js";

/**
 * What a policy's reason leaves out: why the effects that it looks at are true. A policy is taken to look at an effect
 * that its text names, and at all that end `read_only` where it names that.
 */
export class EvidenceOf {
  private named: ReadonlySet<string> | null = null;

  /** `source` is the linked policy's text, which is looked at when there is something to leave out of a reason. */
  constructor(private readonly source: string) {}

  private get words(): ReadonlySet<string> {
    this.named ??= new Set([...wordsIn(this.source)].filter((word) => NAMES.has(word)));
    return this.named;
  }

  /** One line for each such effect of a program, of the first instruction that has it; a few at most. */
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

/** The words of a policy's text that can name a fact: properties, and words in strings and patterns. */
export function wordsIn(source: string): ReadonlySet<string> {
  return new Set(Array.from(source.matchAll(/(?:\.|["'`{,]\s*)([a-z]+(?:_[a-z]+)*)\b/g), ([, word]) => word as string));
}

function lineOf({ effect, insn, text, source, because }: Evidence): string {
  if (insn === null) return `${effect}: ${because}`;
  if (source !== null) return `${effect}: ${because} at ${source} (instruction ${insn})`;
  return `${effect}: ${because} at instruction ${insn}${text === null ? "" : ` \`${text}\``}`;
}
