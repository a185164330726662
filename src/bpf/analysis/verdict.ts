import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { type ProgramTypeRow, type ReturnValues, redirectsIn, type Verdict } from "../tables/program-types.js";
import { ANY_NUMBER } from "./values/kinds.js";
import { bitOf, describeSet, ODD, setOf } from "./values/numbers.js";

/** The effects of a program's return value, which depend on its type. */
export class VerdictOf {
  readonly #verdict: Verdict;
  readonly #neutral: number;
  #redirects: number;
  #overrides: boolean;
  /** What `#because` words. */
  #set = 0;
  #onlyHigh = false;
  #why: string | null = null;
  /**
   * Words the values of the last return. Only evidence that is kept is worded, and no function is made for each return:
   * a hostile program returns in a million places.
   */
  readonly #because = (): string => this.#why ?? returns(this.#set, this.#onlyHigh);
  readonly #unrecorded = (): string => `${this.#because()}: perf may not record the event`;
  readonly #replaced = (): string => `${this.#because()}, in place of the function's own value`;

  constructor(
    readonly type: ProgramTypeRow,
    expectedAttachType: string | null,
    readonly findings: EvidenceCollector,
  ) {
    this.#verdict = type.verdictBy?.[expectedAttachType ?? ""] ?? type.verdict;
    const exact = typeof this.#verdict === "object" ? this.#verdict : null;
    this.#neutral = exact === null ? 0 : neutralOf(exact);
    this.#redirects = exact === null ? 0 : valuesOf(exact.redirects);
    this.#overrides = type.type === "tracing" && this.#verdict !== "ignored";
    if (this.#verdict === "always") {
      findings.note("decides", null, `what a \`${type.type}\` program returns is a verdict`);
      if (this.#overrides) findings.note("overrides_return", null, "may be attached to change what a function returns");
    }
  }

  /** The program may replace any program whose context has this name; null means any program, also of type fmod_ret. */
  replaces(context: string | null): void {
    if (context === null) this.#overrides = true;
    this.#redirects = valuesOf(redirectsIn(context ?? ""));
  }

  /** Records that the program may return these numbers (numbers.ts) at this slot: low and high words of r0. */
  returned(slot: number, set: number, high: number, why: string | null): void {
    if (typeof this.#verdict !== "object") return;
    const decidesLow = (set & ~this.#neutral) !== 0;
    const decides = decidesLow || (this.#verdict.bits === 64 && (high & ~bitOf(0)) !== 0);
    this.#set = set;
    this.#onlyHigh = decides && !decidesLow;
    this.#why = why;
    if (decides) {
      if (this.#verdict.decides === "record") this.findings.noteHarmless("decides", slot, this.#unrecorded);
      else this.findings.note("decides", slot, this.#because);
      if (this.#overrides) this.findings.note("overrides_return", slot, this.#replaced);
    }
    if ((set & this.#redirects) !== 0) this.findings.note("redirects", slot, this.#because);
  }
}

/** `becauseOfHigh`: only the high words are not neutral. */
function returns(set: number, becauseOfHigh: boolean): string {
  const words = `returns ${set === ANY_NUMBER ? "what is not known" : describeSet(set)}`;
  return becauseOfHigh ? `${words} in the low 32 bits, of 64 that count` : words;
}

function neutralOf({ neutral }: ReturnValues): number {
  if (neutral === "odd") return ODD;
  return neutral === "nonzero" ? ~bitOf(0) : setOf(...neutral);
}

function valuesOf(values: readonly number[] | "all"): number {
  return values === "all" ? ANY_NUMBER : setOf(...values);
}
