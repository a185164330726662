import type { Findings } from "../findings.js";
import type { ProgramTypeRow, Verdict } from "../tables/program-types.js";
import { ANY_NUMBER } from "./kinds.js";
import { describeSet, setOf } from "./numbers.js";

/** What a program's return value does, by its type. */
export class VerdictOf {
  readonly #verdict: Verdict;
  readonly #neutral: number;
  readonly #redirects: number;
  #overrides: boolean;

  constructor(
    readonly type: ProgramTypeRow,
    expectedAttachType: string | null,
    readonly findings: Findings,
  ) {
    this.#verdict = type.verdictBy?.[expectedAttachType ?? ""] ?? type.verdict;
    const exact = typeof this.#verdict === "object";
    this.#neutral = exact ? setOf(...(this.#verdict as { neutral: readonly number[] }).neutral) : 0;
    this.#redirects = exact ? setOf(...(this.#verdict as { redirects: readonly number[] }).redirects) : 0;
    this.#overrides = type.type === "tracing" && this.#verdict !== "ignored";
    if (this.#verdict === "always") {
      findings.note("decides", null, `what a \`${type.type}\` program returns is a verdict`);
      if (this.#overrides) findings.note("overrides_return", null, "may be attached to change what a function returns");
    }
  }

  /** The program may take the place of one of any type, of a fmod_ret program for one. */
  ofAnyType(): void {
    this.#overrides = true;
  }

  /** The program may return these numbers (numbers.ts) at this slot. */
  returned(slot: number, set: number, why: string | null): void {
    if (typeof this.#verdict !== "object") return;
    const words = set === ANY_NUMBER ? "what is not known" : describeSet(set);
    const because = why ?? `returns ${words}`;
    if ((set & ~this.#neutral) !== 0) {
      this.findings.note("decides", slot, because);
      if (this.#overrides)
        this.findings.note("overrides_return", slot, `${because}, in place of the function's own value`);
    }
    if ((set & this.#redirects) !== 0) this.findings.note("redirects", slot, because);
  }
}
