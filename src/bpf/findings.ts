import type { Code } from "./code.js";
import { disassemble } from "./disassembly.js";
import { EFFECTS, type EffectName, type Effects, type Evidence } from "./facts.js";

/** The effects that only look. All others change something, and end `read_only`. */
const READS: ReadonlySet<EffectName> = new Set(["reads_kernel_memory", "reads_user_memory"]);

/** The most pieces of evidence kept for one effect: what a person reads, the first in the program's order. */
const MOST_EVIDENCE = 4;

/** Gathers what an analysis finds out about one program. */
export class Findings {
  readonly #code: Code;
  /** For each effect: slot to why. Slot -1 stands for the program as a whole. */
  readonly #found: ReadonlyMap<EffectName, Map<number, string>>;

  constructor(code: Code) {
    this.#code = code;
    this.#found = new Map(EFFECTS.map((effect) => [effect, new Map<number, string>()]));
  }

  /** Records that the instruction in this slot (or, with null, the program by its type) may have an effect. */
  note(effect: EffectName, slot: number | null, because: string): void {
    const found = this.#found.get(effect)!;
    const key = slot ?? -1;
    if (found.has(key)) return;
    found.set(key, because);
    if (found.size > MOST_EVIDENCE) found.delete(Math.max(...found.keys()));
  }

  /** Records that anything may happen here: every effect is true. */
  anything(slot: number | null, because: string): void {
    for (const effect of EFFECTS) this.note(effect, slot, because);
  }

  has(effect: EffectName): boolean {
    return this.#found.get(effect)!.size > 0;
  }

  effects(): Effects {
    const each = EFFECTS.map((effect) => [effect, this.has(effect)] as const);
    const read_only = each.every(([effect, is]) => !is || READS.has(effect));
    return { ...Object.fromEntries(each), read_only } as Effects;
  }

  evidence(): Evidence[] {
    return EFFECTS.flatMap((effect) =>
      [...this.#found.get(effect)!]
        .sort(([a], [b]) => a - b)
        .map(([key, because]) => this.#evidence(effect, key === -1 ? null : key, because)),
    );
  }

  #evidence(effect: EffectName, slot: number | null, because: string): Evidence {
    if (slot === null) return { effect, insn: null, text: null, source: null, because };
    const { insns } = this.#code;
    return { effect, insn: slot, text: disassemble(insns, slot), source: this.#code.sourceAt(slot), because };
  }
}
