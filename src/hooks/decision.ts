import type { MapWrite } from "../policy/maps/map.js";
import type { Current } from "../policy/model/current.js";
import type { HelperCall } from "../policy/model/helper-call.js";
import type { Mode } from "../policy/model/mode.js";
import type { Dependency, Fault, FaultCode } from "../policy/model/outcome.js";
import type { HookName, SubjectKind } from "./catalogue.js";
import type { Grants } from "./grants.js";

/** The verdict on one subject with everything that led to it. It is one record in the decision log. */
export interface Decision extends DispatchResult {
  /** A UUID of version 7. Ids of one thread increase. */
  readonly id: string;
  /** Milliseconds since the epoch at which the decision was made. */
  readonly time: number;
  /**
   * The time at which certificates are judged, in milliseconds since the epoch: `time`, unless the caller gave another.
   */
  readonly judged_time: number;
  readonly hook: HookName;
  readonly subject: SubjectOfDecision;
  readonly current: Current;
  /** The generation of each keyring that a policy asked, by the keyring's name. */
  readonly keyrings: Readonly<Record<string, number>>;
  /**
   * Id of the system call at a gate. A loader's retries of a denied call have the same id. All decisions on one
   * operation have the same id and are counted once. Null if no system call is waiting, as for `countersign check`.
   */
  readonly operation: string | null;
  /** Name and version of the loader whose probe the gate allowed without asking policies. */
  readonly loader_probe?: string;
}

/**
 * Which part of Countersign made the decision; `library` is a program that embeds the engine, `seal` the guard in the
 * kernel.
 */
export type Origin = "run" | "agent" | "check" | "library" | "guard";

export interface SubjectOfDecision {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly digest: string;
  /** The path of the file, or of the file that the subject came from; null if there is none, as for a live load. */
  readonly path: string | null;
  /** The kernel's id of an object whose fd the gate did not return itself; absent otherwise. */
  readonly id?: number;
  /** The program statements that a program matches, whoever signed them, at most 64; absent if there is none. */
  readonly statements?: readonly StatementOfDecision[];
}

/** A program statement that the subject of a decision matches. */
export interface StatementOfDecision {
  readonly sha256: string;
  readonly object_sha256: string;
  /** The full name of the program's function. */
  readonly name: string;
}

/** The verdicts of the dispatcher, and the answers that they follow from. */
export interface DispatchResult extends Verdicts {
  readonly answers: readonly Answer[];
  /** From the question to the last answer. */
  readonly duration_us: number;
  /** What attachments granted or asked for beside the verdict; absent if there is nothing. */
  readonly grants?: Grants;
}

/** The verdicts of one decision. Keys are spelled as in the decision log. */
export interface Verdicts {
  /** The engine's mode. In `audit` nothing is denied: the engine makes a dry run. */
  readonly mode: Mode;
  /** The applied verdict, 0 or a negative errno: the enforced verdict in mode `enforce`, 0 in mode `audit`. */
  readonly verdict: number;
  /** 0 or a negative errno: the verdict that takes effect in mode `enforce`. */
  readonly enforced_verdict: number;
  /**
   * The reason for a non-zero enforced verdict: the first denial by an enforcing attachment, by the default or by the
   * gate.
   */
  readonly denied_by: Denial | null;
  /** The denial of each attachment in audit, and of a default of `audit`. They never change a verdict. */
  readonly audit_denials: readonly Denial[];
}

/** The codes of denials; each has a page in docs/errors/. A denial because of a fault has the code of the fault. */
export const DENIAL_CODES = [
  "DENIED_BY_POLICY",
  "DENIED_BY_DEFAULT",
  "DENIED_BY_GATE",
  "DENIED_BY_GUARD",
  "SIGNATURE_INVALID",
] as const;

export type DenialCode = (typeof DENIAL_CODES)[number] | FaultCode;

export interface Denial {
  /** Name of the attachment that denies; null if the configuration's default or the gate denies. */
  readonly attachment: string | null;
  /** A negative errno. */
  readonly verdict: number;
  readonly code: DenialCode;
  /** The gate's rule that denies (docs/run.md); absent for any other denial. */
  readonly rule?: string;
  /** One line that tells a person what to change. */
  readonly reason: string;
}

/** The answer of one attachment. */
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
  /** One line for each call of a helper with its result; read only for a denial, a fault or a note. */
  readonly helpers: readonly string[];
  /** Changes of maps. An attachment in audit changes only its own overlay, which no other attachment sees. */
  readonly writes: readonly MapWrite[];
  readonly steps: number;
  readonly duration_us: number;
  /** What the verdict can depend on; absent unless the engine records it. */
  readonly dependencies?: readonly Dependency[];
  /** The calls of helpers that the engine answered; absent unless the engine records them. */
  readonly calls?: readonly HelperCall[];
  /** Set if the engine records calls and the policy has read the annotations of the container. */
  readonly reads_annotations?: true;
}
