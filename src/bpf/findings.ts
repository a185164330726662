import type { Code } from "./code.js";
import { disassemble } from "./disassembly.js";
import { EFFECTS, type EffectName, type Effects, type Evidence } from "./facts.js";
import { Trail } from "./trail.js";

/** The effects that only look. All others change something, and end `read_only`. */
const READS: ReadonlySet<EffectName> = new Set(["reads_kernel_memory", "reads_user_memory"]);

/** The most pieces of evidence kept for one effect: what a person reads, the first in the program's order. */
const MOST_EVIDENCE = 4;
/** Of more programs than these it is not followed which ones a program goes on as. */
const MOST_HAND_OVERS = 128;

/** Gathers what an analysis finds out about one program. */
export class Findings {
  readonly #code: Code;
  /** By effect: where, and why. Slot -1 stands for the program as a whole. */
  readonly #found = new Map<EffectName, Finding[]>();
  /** The programs that it goes on as by a tail call, each with the slot of the first such call. */
  readonly handOvers = new Map<string, number>();
  /** Whether it was spared an effect for what only an object says, and a live load does not. */
  asDeclared = false;
  #readOnly = true;

  constructor(code: Code) {
    this.#code = code;
  }

  /** Records that the instruction in this slot (or, with null, the program by its type) may have an effect. */
  note(effect: EffectName, slot: number | null, because: string): void {
    this.#record(effect, { at: slot ?? -1, because, ends: !READS.has(effect) });
  }

  /** The same of an effect that changes nothing that matters here: it leaves `read_only`. */
  noteHarmless(effect: EffectName, slot: number, because: string): void {
    this.#record(effect, { at: slot, because, ends: false });
  }

  /** Records that the program goes on as another one of its object. False where there are too many already. */
  handOver(slot: number, program: string): boolean {
    if (!this.handOvers.has(program)) {
      if (this.handOvers.size >= MOST_HAND_OVERS) return false;
      this.handOvers.set(program, slot);
    }
    return true;
  }

  /** Takes over what a program does that this one goes on as. False where it brings nothing new. */
  include(program: string, other: Findings): boolean {
    let isNew = false;
    for (const [effect, theirs] of other.#found) {
      const one = theirs.find(({ ends }) => ends) ?? theirs[0]!;
      const mine = this.#found.get(effect);
      if (mine !== undefined && (!one.ends || mine.some(({ ends }) => ends))) continue;
      const origin = one.origin ?? { program, because: one.because };
      const because = `may go on as \`${origin.program}\`, which ${origin.because}`;
      const finding = { at: this.handOvers.get(program)!, because, ends: one.ends, origin };
      // before what the call itself was noted for, which does not end read_only
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
    else if (found.length < MOST_EVIDENCE || at < found.at(-1)!.at) {
      if (found.some((each) => each.at === at)) return;
      found.push(finding);
      found.sort((a, b) => a.at - b.at);
      found.length = Math.min(found.length, MOST_EVIDENCE);
    }
  }

  /** Records that anything may happen here: every effect is true. */
  anything(slot: number | null, because: string): void {
    for (const effect of EFFECTS) this.note(effect, slot, because);
  }

  /** Frozen, and the same object for the same effects. */
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
    const trail = new Trail(this.#code);
    return EFFECTS.flatMap((effect) =>
      (this.#found.get(effect) ?? []).map((finding) => this.#evidence(effect, finding, trail)),
    );
  }

  #evidence(effect: EffectName, { at, because, ends }: Finding, trail: Trail): Evidence {
    if (at === -1) return { effect, insn: null, text: null, source: null, because, ends_read_only: ends };
    const { insns } = this.#code;
    const text = disassemble(insns, at);
    const source = this.#code.sourceAt(at);
    return { effect, insn: at, text, source, because: `${because}${trail.to(at)}`, ends_read_only: ends };
  }
}

/** The bit behind those of the effects. */
const READ_ONLY = 1 << EFFECTS.length;

/** By a bit for each effect, and READ_ONLY: programs that have the same are many. */
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
  /** Of what was taken over: the program that does it, and why. */
  readonly origin?: { readonly program: string; readonly because: string };
}
