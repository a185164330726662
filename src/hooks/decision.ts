import type { Current } from "../policy/current.js";
import type { MapWrite } from "../policy/map.js";
import type { Mode } from "../policy/mode.js";
import type { Fault, FaultCode } from "../policy/outcome.js";
import type { HookName, SubjectKind } from "./catalogue.js";
import type { Grants } from "./grants.js";

/** The verdict on one subject with everything that led to it; written to the decision log. */
export interface Decision extends Ruling {
  readonly id: string;
  /** Milliseconds since the epoch: when it was made. */
  readonly time: number;
  /** The hook's time, at which certificates are judged: `time`, unless the caller gave another one. */
  readonly judged_time: number;
  readonly hook: HookName;
  readonly subject: SubjectOfDecision;
  readonly current: Current;
  /** Generations of the keyrings that were asked, by name. */
  readonly keyrings: Readonly<Record<string, number>>;
  /**
   * Id of the system call at a gate, shared by a loader's retries of it after a denial. All decisions on one operation have the same
   * id, and are counted once. Null if no operation is about to happen, as for `countersign check`.
   */
  readonly operation: string | null;
  /** A loader's probe that a gate let through before policies: the loader and its versions. */
  readonly probe?: string;
}

/** Which part of Countersign made the decision; `library` is a program that embeds the engine. */
export type Origin = "run" | "agent" | "check" | "library";

export interface SubjectOfDecision {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly digest: string;
  /** The file that it is or came from; null where there is none, as for a live load. */
  readonly path: string | null;
  /** The kernel's id of an object that the gate did not hand out; left out for all else. */
  readonly id?: number;
}

/** The verdicts of the dispatcher, and the answers from which they follow. */
export interface Ruling extends Verdicts {
  readonly answers: readonly Answer[];
  /** Microseconds, from the question to the last answer. */
  readonly duration: number;
  /** What was granted or asked for beside the verdict; left out where there is nothing. */
  readonly grants?: Grants;
}

/** What is decided. Keys are spelled as in the decision log. */
export interface Verdicts {
  /** The engine's mode. In `audit` nothing is denied: the engine makes a dry run. */
  readonly mode: Mode;
  /** The applied verdict, 0 or a negative errno: the enforced one in mode `enforce`, and 0 in mode `audit`. */
  readonly verdict: number;
  /** 0 or a negative errno: what mode `enforce` answers. */
  readonly enforced_verdict: number;
  /** Why the enforced verdict is not 0: the first denial by an enforcing attachment, or by the default or the gate. */
  readonly denied_by: Denial | null;
  /** The denial of each attachment in audit, and of a default of `audit`. They never change a verdict. */
  readonly audit_denials: readonly Denial[];
}

/** Failures have names; each has a page in docs/errors/. Those of a policy that could not answer are its fault's. */
export const DENIAL_CODES = ["DENIED_BY_POLICY", "DENIED_BY_DEFAULT", "DENIED_BY_GATE", "SIGNATURE_INVALID"] as const;

export type DenialCode = (typeof DENIAL_CODES)[number] | FaultCode;

export interface Denial {
  /** The attachment that denies, by name; null for the configuration's default and the gate. */
  readonly attachment: string | null;
  /** Negative errno. */
  readonly verdict: number;
  readonly code: DenialCode;
  /** The gate's rule that denies (docs/run.md); absent for any other denial. */
  readonly rule?: string;
  /** One line a person can act on. */
  readonly reason: string;
}

/** What one attachment said. */
export interface Answer {
  readonly attachment: string;
  /** As the attachment is configured, whatever the engine's mode is. */
  readonly mode: Mode;
  /** SHA-256 of the linked policy. */
  readonly policy: string;
  /** 0 or a negative errno; for a fault, it depends on the attachment's `on_fault`. */
  readonly verdict: number;
  /** Null if the verdict is 0. */
  readonly denial: Denial | null;
  readonly fault: Fault | null;
  /** Reasons given to `deny` that did not lead to the verdict. */
  readonly unused_reasons: readonly string[];
  readonly notes: readonly string[];
  /** What each helper answered; read out for a denial, a fault or a note. */
  readonly helpers: readonly string[];
  /** What it changed in maps; for an audit attachment in the overlay that it alone sees. */
  readonly writes: readonly MapWrite[];
  readonly steps: number;
  /** Microseconds. */
  readonly duration: number;
}
