/** Why a policy did not answer with a verdict. */
export type Stop =
  | "threw"
  | "wrong"
  | "unknown"
  | "unknown input"
  | "unused"
  | "steps"
  | "time"
  | "memory"
  | "stack"
  | "internal";

export interface Reply {
  /** Null if the policy returned a number; `verdict` may then be any number. */
  readonly stop: Stop | null;
  readonly verdict: number;
  readonly steps: number;
  /** Present after a call of `deny` or `note`, and after a stop. */
  readonly told: Told | null;
}

/** The guest's report on a decision. */
export interface Told {
  /** Verdict and reason of the last calls of `deny`, two values each. */
  readonly refusals: readonly (string | number)[];
  readonly refusalsMade: number;
  readonly notes: readonly string[];
  readonly notesMade: number;
  readonly answers: readonly unknown[];
  readonly answersMade: number;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string } | null;
  readonly wrong: string | null;
  /** The first fact that the policy read and that does not exist, with the names that exist on the same object. */
  readonly unknown: {
    readonly name: string;
    /** Whether it is a name of the virtual module. */
    readonly isMember: boolean;
    readonly known: readonly string[];
    readonly stack: string;
  } | null;
  /** The first denial that the policy dropped. */
  readonly unused: { readonly reason: string; readonly stack: string } | null;
  /** Why a function of the host could not answer; not visible to the policy. */
  readonly host?: string | undefined;
}

/** A report without contents. */
export const SILENT: Told = {
  refusals: [],
  refusalsMade: 0,
  notes: [],
  notesMade: 0,
  answers: [],
  answersMade: 0,
  error: null,
  wrong: null,
  unknown: null,
  unused: null,
};
