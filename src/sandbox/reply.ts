/** What stopped a policy. */
export type Stop = "threw" | "wrong" | "unknown" | "unused" | "steps" | "time" | "memory" | "stack" | "internal";

export interface Reply {
  /** null when the policy answered with a number; `verdict` may still be any number. */
  readonly stop: Stop | null;
  readonly verdict: number;
  readonly steps: number;
  /** Present for a refusal, a note, a call of `deny`, or a stop. */
  readonly told: Told | null;
}

/** What the guest has to say about a decision. */
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
  /** The first fact that the policy read and that does not exist, with the names that do where it was read. */
  readonly unknown: {
    readonly name: string;
    /** Whether it is a name of the virtual module. */
    readonly isMember: boolean;
    readonly known: readonly string[];
    readonly stack: string;
  } | null;
  /** The first denial that the policy dropped. */
  readonly unused: { readonly reason: string; readonly stack: string } | null;
  /** What the host found out about a function that could not answer, for people outside of the guest. */
  readonly host?: string | undefined;
}

/** Nothing to say. */
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
