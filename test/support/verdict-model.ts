/**
 * A model of how the answers of attachments become verdicts, written from the design's text and apart from the
 * dispatcher. It also lists every case of up to two attachments, for tests that compare all of them with the model.
 */

/** What an attachment of a case answers, if it is in scope. The first two answer themselves. */
export const STATES = {
  allows: { errno: 0, code: null, answers: true },
  denies: { errno: -13, code: "DENIED_BY_POLICY", answers: true },
  fault: { errno: -1, code: "POLICY_ERROR", answers: false },
  "fault let through": { errno: 0, code: null, answers: false },
  suspended: { errno: -1, code: "SUSPENDED", answers: false },
  "suspended, let through": { errno: 0, code: null, answers: false },
  "out of scope": { errno: 0, code: null, answers: false },
} as const;

export type State = keyof typeof STATES;
export type Mode = "enforce" | "audit";
export type HookDefault = "allow" | "deny" | "audit";

export interface Stated {
  readonly mode: Mode;
  readonly state: State;
}

export interface Case {
  readonly engine: Mode;
  readonly fallback: HookDefault;
  readonly attachments: readonly Stated[];
}

/** A denial: the place of its attachment in the list, null for the default, then errno and code. */
export type ModelDenial = readonly [attachment: number | null, errno: number, code: string];

export interface ModelVerdicts {
  readonly verdict: number;
  readonly enforced_verdict: number;
  readonly denied_by: ModelDenial | null;
  readonly audit_denials: readonly ModelDenial[];
}

export function verdictsOf({ engine, fallback, attachments }: Case): ModelVerdicts {
  const denials = (mode: Mode) =>
    attachments.flatMap(({ mode: its, state }, index): ModelDenial[] => {
      const { errno, code } = STATES[state];
      return its === mode && code !== null ? [[index, errno, code]] : [];
    });
  // (2): at least one enforcing attachment itself answered 0
  const answered = attachments.some(({ mode, state }) => mode === "enforce" && STATES[state].answers);
  const byDefault: ModelDenial[] = answered || fallback === "allow" ? [] : [[null, -1, "DENIED_BY_DEFAULT"]];
  // (1), then (3)
  const [denied = null] = [...denials("enforce"), ...(fallback === "deny" ? byDefault : [])];
  const noted = denials("enforce").length === 0 && fallback === "audit" ? byDefault : [];
  const enforced = denied === null ? 0 : denied[1];
  return {
    verdict: engine === "audit" ? 0 : enforced,
    enforced_verdict: enforced,
    denied_by: denied,
    audit_denials: [...denials("audit"), ...noted],
  };
}

const MODES: readonly Mode[] = ["enforce", "audit"];
const DEFAULTS: readonly HookDefault[] = ["allow", "deny", "audit"];
const ONE: readonly Stated[] = MODES.flatMap((mode) =>
  (Object.keys(STATES) as State[]).map((state) => ({ mode, state })),
);

/** All lists of up to two attachments. */
export const LISTS: readonly (readonly Stated[])[] = [
  [],
  ...ONE.map((one) => [one]),
  ...ONE.flatMap((first) => ONE.map((second) => [first, second])),
];

export const CASES: readonly Case[] = MODES.flatMap((engine) =>
  DEFAULTS.flatMap((fallback) => LISTS.map((attachments) => ({ engine, fallback, attachments }))),
);

/** For the name of a failing case. */
export function caseName({ engine, fallback, attachments }: Case): string {
  const list = attachments.map(({ mode, state }) => `${mode} ${state}`).join(", ");
  return `engine ${engine}, default ${fallback}, [${list}]`;
}
