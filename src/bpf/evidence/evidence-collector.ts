import { disassemble } from "../insn/disassembly.js";
import type { Code } from "../model/code.js";
import { EFFECTS, type EffectName, type Effects, type Evidence } from "../model/facts.js";
import { Provenance } from "./provenance.js";

/** Effects that change nothing. Any other effect makes `read_only` false. */
export const OBSERVES: ReadonlySet<EffectName> = new Set([
  "reads_kernel_memory",
  "reads_user_memory",
  "reveals_addresses",
]);

/** Maximum number of pieces of evidence for one effect. The first ones in program order are kept. */
const MOST_EVIDENCE = 4;
/** Maximum number of tail-call targets of one program that are followed. */
const MOST_HAND_OVERS = 128;

/** Why an effect is possible: a text, or a function that makes the text if it is kept. */
type Because = string | (() => string);

/** Collects the findings of the analysis of one program. */
export class EvidenceCollector {
  readonly #code: Code;
  /** EvidenceCollector by effect. Slot -1 means the program as a whole. */
  readonly #found = new Map<EffectName, Finding[]>();
  /** Names of the programs that it tail-calls, each with the slot of the first such call. */
  readonly handOvers = new Map<string, number>();
  /** Whether an effect was ruled out by a declaration that an object has and a live load lacks. */
  asDeclared = false;
  /** Whether every path of the program was followed. */
  isComplete = false;
  #readOnly = true;

  /** `helperCalls` gets the slot of each call of a helper that the program may reach. */
  constructor(
    code: Code,
    readonly helperCalls: Set<number> | null = null,
  ) {
    this.#code = code;
  }

  /**
   * Records that the instruction in this slot may have an effect. A null slot means the program, because of its type.
   */
  note(effect: EffectName, slot: number | null, because: Because): void {
    this.#note(effect, slot ?? -1, because, !OBSERVES.has(effect));
  }

  /** Whether there is room for evidence of an effect at a slot, and none yet. */
  #wants(effect: EffectName, at: number): boolean {
    const found = this.#found.get(effect);
    if (found === undefined) return true;
    if (found.length >= MOST_EVIDENCE && at >= found.at(-1)!.at) return false;
    return !found.some((each) => each.at === at);
  }

  /** Records an effect that changes nothing in this case, so `read_only` stays true. */
  noteHarmless(effect: EffectName, slot: number, because: Because): void {
    this.#note(effect, slot, because, false);
  }

  #note(effect: EffectName, at: number, because: Because, ends: boolean): void {
    if (ends) this.#readOnly = false;
    if (!this.#wants(effect, at)) return;
    this.#record(effect, { at, because: typeof because === "string" ? because : because(), ends });
  }

  /** Records a tail call to another program of the object. Returns false if there are too many targets already. */
  handOver(slot: number, program: string): boolean {
    if (!this.handOvers.has(program)) {
      if (this.handOvers.size >= MOST_HAND_OVERS) return false;
      this.handOvers.set(program, slot);
    }
    return true;
  }

  /** Adds the effects of a tail-called program. Returns false if there were no new ones. */
  include(program: string, other: EvidenceCollector): boolean {
    let isNew = false;
    for (const [effect, theirs] of other.#found) {
      const one = theirs.find(({ ends }) => ends) ?? theirs[0]!;
      const mine = this.#found.get(effect);
      if (mine !== undefined && (!one.ends || mine.some(({ ends }) => ends))) continue;
      const origin = one.origin ?? { program, because: one.because };
      const because = `may go on as \`${origin.program}\`, which ${origin.because}`;
      const finding = { at: this.handOvers.get(program)!, because, ends: one.ends, origin };
      // An earlier finding of the call itself did not make `read_only` false, so it is replaced.
      if (mine === undefined) this.#record(effect, finding);
      else this.#found.set(effect, [finding]);
      if (one.ends) this.#readOnly = false;
      isNew = true;
    }
    return isNew;
  }

  #record(effect: EffectName, finding: Finding): void {
    const { at, ends } = finding;
    if (ends) this.#readOnly = false;
    const found = this.#found.get(effect);
    if (found === undefined) this.#found.set(effect, [finding]);
    else if (this.#wants(effect, at)) {
      let before = found.length;
      while (before > 0 && found[before - 1]!.at > at) before -= 1;
      found.splice(before, 0, finding);
      if (found.length > MOST_EVIDENCE) found.pop();
    }
  }

  /** Records that every effect is possible here. */
  anything(slot: number | null, because: string): void {
    for (const effect of EFFECTS) this.note(effect, slot, because);
  }

  /** The effects, frozen. Programs with the same effects share one object. */
  effects(): Effects {
    let bits = 0;
    for (let index = 0; index < EFFECTS.length; index++) if (this.#found.has(EFFECTS[index]!)) bits |= 1 << index;
    if (this.#readOnly) bits |= READ_ONLY;
    let effects = made.get(bits);
    if (effects === undefined) {
      effects = effectsOfBits(bits);
      made.set(bits, effects);
    }
    return effects;
  }

  evidence(): Evidence[] {
    if (this.#found.size === 0) return [];
    const provenance = new Provenance(this.#code);
    const evidence: Evidence[] = [];
    for (let index = 0; index < EFFECTS.length; index++) {
      const effect = EFFECTS[index]!;
      const found = this.#found.get(effect);
      if (found !== undefined) for (const finding of found) evidence.push(this.#evidence(effect, finding, provenance));
    }
    return evidence;
  }

  #evidence(effect: EffectName, { at, because, ends }: Finding, provenance: Provenance): Evidence {
    if (at === -1) return { effect, insn: null, text: null, source: null, because, ends_read_only: ends };
    const { insns } = this.#code;
    const text = disassemble(insns, at);
    const source = this.#code.sourceAt(at);
    return { effect, insn: at, text, source, because: `${because}${provenance.to(at)}`, ends_read_only: ends };
  }
}

/** The bit after those of the effects. */
const READ_ONLY = 1 << EFFECTS.length;

/** Effects objects by bit mask (one bit for each effect, and READ_ONLY), since many programs have the same. */
const made = new Map<number, Effects>();

function effectsOfBits(bits: number): Effects {
  const effects: Partial<Record<EffectName | "read_only", boolean>> = {};
  for (const [index, effect] of EFFECTS.entries()) effects[effect] = (bits & (1 << index)) !== 0;
  effects.read_only = (bits & READ_ONLY) !== 0;
  return Object.freeze(effects as Effects);
}

interface Finding {
  readonly at: number;
  readonly because: string;
  readonly ends: boolean;
  /** For an effect of a tail-called program: that program, and the reason there. */
  readonly origin?: { readonly program: string; readonly because: string };
}
