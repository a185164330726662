import { EFFECTS, type EffectName, type Evidence } from "../bpf/facts.js";

/**
 * What a policy's reason leaves out: why the effects that it looks at are true. A policy is taken to look at an effect that
 * its text names, and at all that change something where it names `read_only`.
 */
export class EvidenceOf {
  private named: ReadonlySet<EffectName> | null = null;

  /** `source` is the linked policy's text, which is looked at when there is something to leave out of a reason. */
  constructor(private readonly source: string) {}

  private get effects(): ReadonlySet<EffectName> {
    this.named ??= effectsNamed(this.source);
    return this.named;
  }

  /** One line for each such effect of a program, of the first instruction that has it; a few at most. */
  in(subject: object): readonly string[] {
    const { evidence } = subject as { evidence?: readonly Evidence[] };
    if (evidence === undefined || this.effects.size === 0) return [];
    const first = new Map<EffectName, Evidence>();
    for (const one of evidence) if (this.effects.has(one.effect) && !first.has(one.effect)) first.set(one.effect, one);
    return [...first.values()].slice(0, MAX_LINES).map(lineOf);
  }
}

const MAX_LINES = 3;

/** The words of a policy's text that can name a fact: properties, and words in strings and patterns. */
export function wordsIn(source: string): ReadonlySet<string> {
  return new Set(Array.from(source.matchAll(/(?:\.|["'`{,]\s*)([a-z]+(?:_[a-z]+)*)\b/g), ([, word]) => word as string));
}

function effectsNamed(source: string): ReadonlySet<EffectName> {
  const named = wordsIn(source);
  const changing = named.has("read_only") ? EFFECTS.filter((effect) => !effect.startsWith("reads_")) : [];
  return new Set([...changing, ...EFFECTS.filter((effect) => named.has(effect))]);
}

function lineOf({ effect, insn, text, source, because }: Evidence): string {
  if (insn === null) return `${effect}: ${because}`;
  if (source !== null) return `${effect}: ${because} at ${source} (instruction ${insn})`;
  return `${effect}: ${because} at instruction ${insn}${text === null ? "" : ` \`${text}\``}`;
}
