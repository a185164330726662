import { Combination, faultVerdict } from "../../engine/decision/combination.js";
import { deniedByDefault } from "../../hooks/denial.js";
import type { DecisionEnd } from "../shared/atom.js";
import { type Answer, ask, type Hook } from "./answer.js";
import { withNames } from "./configured-names.js";
import { type AttachmentRow, at, beginning, type Configuration, endOf, finish, here } from "./path.js";
import { holds } from "./scope.js";
import { linear, partsOf, type Sym, type Term, termOf } from "./term.js";

type End = ReturnType<typeof endOf>;

/** An attachment's answer as the dispatcher takes it. */
export interface GuestAnswer {
  readonly attachment: AttachmentRow;
  /** A value of the sandbox: 0 or a negative integer. */
  readonly verdict: unknown;
  readonly reason: Answer["reason"];
  readonly fault: { readonly code: string; readonly what: string } | null;
  readonly place: number;
}

/** A denial; `attachment` is null for the hook's default. */
export interface GuestDenial extends Omit<GuestAnswer, "attachment"> {
  readonly attachment: AttachmentRow | null;
}

/** The attachments of a decision, each of which is asked when its answer is needed, and only once. */
export class Asked {
  readonly #answers: (GuestAnswer | null | undefined)[];
  #denial: GuestDenial | null | undefined;

  constructor(
    readonly configuration: Configuration,
    private readonly hooks: readonly Hook[],
    private readonly current: Sym,
    /** What policies answered about the same caller, also for another configuration. */
    private readonly known: Map<Hook, ReturnType<typeof ask>> = new Map(),
  ) {
    this.#answers = configuration.attachments.map(() => undefined);
  }

  /** The denial that is enforced; null for none. Attachments that cannot change it are not asked. */
  denial(): GuestDenial | null {
    if (this.#denial !== undefined) return this.#denial;
    const combination = new Combination<GuestDenial>();
    for (const [index, { mode }] of this.configuration.attachments.entries()) {
      const answer = combination.canChange(mode) ? this.answer(index) : null;
      if (answer !== null) combination.add(mode, answer.verdict === 0 ? null : answer, answer.fault !== null);
    }
    combination.close(this.configuration.default, (rule, asked) => {
      const { verdict, reason } = deniedByDefault(beginning.hook, rule, asked);
      return { attachment: null, verdict, reason: [reason], fault: null, place: 0 };
    });
    this.#denial = combination.deniedBy;
    return this.#denial;
  }

  /** The answer of an attachment; null if the caller is not in its scope. */
  answer(index: number): GuestAnswer | null {
    let answer = this.#answers[index];
    if (answer === undefined) {
      const before = here();
      answer = this.#ask(index);
      at(before);
      this.#answers[index] = answer;
    }
    return answer;
  }

  #ask(index: number): GuestAnswer | null {
    const attachment = this.configuration.attachments[index]!;
    if (!holds(attachment.scope, this.current)) return null;
    const hook = this.hooks[index]!;
    const asked = this.known.get(hook) ?? withNames(this.configuration, () => ask(hook, this.current));
    this.known.set(hook, asked);
    const { end, answer } = asked;
    if (end.kind === "not decided") return finish(end);
    const { place } = end;
    if (answer !== null) return { attachment, ...answer, fault: null, place };
    const { code, what } = end as Extract<End, { kind: "fault" }>;
    return { attachment, verdict: faultVerdict(attachment.onFault), reason: null, fault: { code, what }, place };
  }
}

/** How a path ends on which all attachments were asked that count. */
export function decisionEnd(asked: Asked): End {
  return endOf(() => finish(enforced(asked)));
}

export function enforced(asked: Asked): DecisionEnd {
  const denial = asked.denial();
  if (denial === null) return { kind: "decision", verdict: 0, reason: null, by: null, fault: null, place: 0 };
  const { attachment, verdict, reason, fault, place } = denial;
  return {
    kind: "decision",
    verdict: verdictFor(verdict),
    reason: reason && partsOf(reason),
    by: attachment?.name ?? null,
    fault,
    place,
  };
}

function verdictFor(verdict: unknown): number | ReturnType<typeof linear> {
  const term: Term | null = termOf(verdict);
  return term?.k === "integer" ? linear(term) : (verdict as number);
}
