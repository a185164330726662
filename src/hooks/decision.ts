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
  /** The hook's time, at which certificates are judged: `time`, unless whoever asked gave another one. */
  readonly judged_time: number;
  readonly hook: HookName;
  readonly subject: SubjectOfDecision;
  readonly current: Current;
  /** Generations of the keyrings that were asked, by name. */
  readonly keyrings: Readonly<Record<string, number>>;
  /** A loader's probe that a gate let through before policies: the loader and its versions. */
  readonly probe?: string;
}

/** Which part of Countersign decided; `library` is a program that embeds the engine. */
export type Origin = "run" | "agent" | "check" | "library";

export interface SubjectOfDecision {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly digest: string;
  /** The file that it is or came from; null where there is none, as for a live load. */
  readonly path: string | null;
}

/** What the dispatcher makes of the attachments' answers. */
export interface Ruling {
  /** 0 or a negative errno. */
  readonly verdict: number;
  /** Why it is no 0; null when it is. */
  readonly refusal: Refusal | null;
  /** What would have been refused if nothing were in audit; null where that is no different from the verdict. */
  readonly would: Refusal | null;
  readonly answers: readonly Answer[];
  /** Microseconds, from the question to the last answer. */
  readonly duration: number;
  /** What was granted or asked for beside the verdict; left out where there is nothing. */
  readonly grants?: Grants;
}

/** Failures have names; each has a page in docs/errors/. Those of a policy that could not answer are its fault's. */
export const REFUSAL_CODES = [
  "REFUSED_BY_POLICY",
  "REFUSED_BY_DEFAULT",
  "REFUSED_BY_GATE",
  "SIGNATURE_INVALID",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number] | FaultCode;

export interface Refusal {
  /** Negative errno. */
  readonly verdict: number;
  /** Who refused: an attachment's name, or null for the configuration's default and the gate. */
  readonly by: string | null;
  readonly code: RefusalCode;
  /** One line a person can act on. */
  readonly reason: string;
}

/** What one attachment said. */
export interface Answer {
  readonly attachment: string;
  readonly mode: Mode;
  /** SHA-256 of the linked policy. */
  readonly policy: string;
  /** What it would have: 0 or a negative errno, a fault already turned into its verdict. */
  readonly verdict: number;
  /** Null when it refuses nothing. */
  readonly refusal: Refusal | null;
  readonly fault: Fault | null;
  /** Reasons given to `deny` that did not lead to the verdict. */
  readonly unused_reasons: readonly string[];
  readonly notes: readonly string[];
  /** What each helper answered; read out for a refusal, a fault or a note. */
  readonly helpers: readonly string[];
  /** What it changed in maps; for an audit attachment in the overlay that it alone sees. */
  readonly writes: readonly MapWrite[];
  readonly steps: number;
  /** Microseconds. */
  readonly duration: number;
}
