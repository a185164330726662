import type { Evidence } from "../../bpf/model/facts.js";
import type { Denial } from "../../hooks/decision.js";
import type { CertificateOfRecord, SignerOfRecord } from "../../log/input-records.js";
import type { RecordOutcome } from "../../log/outcome.js";
import type { Fault } from "../../policy/model/outcome.js";

/** Why a recorded decision is what it is. It is also the form of `explain --json`. */
export interface Explanation {
  readonly id: string | null;
  readonly time: string | null;
  /** The time at which signatures were judged, if it is not `time`. */
  readonly judged_time: string | null;
  readonly origin: string | null;
  /** Who wrote the record; null if the log does not say. */
  readonly writer: { readonly engine: string; readonly host: string; readonly kernel: string } | null;
  readonly hook: string | null;
  readonly outcome: RecordOutcome;
  /** The engine's mode; `audit` in a dry run. */
  readonly mode: string | null;
  /** 0 or a negative errno: what was applied, and what mode `enforce` applies. */
  readonly verdict: number;
  readonly enforced_verdict: number;
  readonly denied_by: Denial | null;
  readonly audit_denials: readonly Denial[];
  /** Why, in one line for each denial, or else what allowed it. */
  readonly because: readonly string[];
  readonly loader_probe: string | null;
  readonly subject: {
    readonly kind: string | null;
    readonly name: string | null;
    readonly digest: string | null;
    readonly path: string | null;
  };
  readonly current: ExplainedCaller;
  readonly executed: Executed;
  /** All attachments of the configuration, in its order; of a record without inputs those that were asked. */
  readonly attachments: readonly ExplainedAttachment[];
  /** The default of the hook; null if it is not known. */
  readonly default: string | null;
  /** Of a program: why it has the effects that policies read. */
  readonly evidence: readonly ExplainedEvidence[];
}

export interface ExplainedCaller {
  readonly comm: string | null;
  readonly pid: number | null;
  readonly tid: number | null;
  readonly uid: number | null;
  readonly euid: number | null;
  readonly gid: number | null;
  readonly exe: string | null;
  readonly cgroup: string | null;
  readonly container: {
    readonly id: string | null;
    readonly name: string | null;
    /** Null if they are unknown. */
    readonly labels: Readonly<Record<string, string>> | null;
  } | null;
}

/** Whether the decision was executed again, so that the attachments have traces. */
export interface Executed {
  /**
   * `same`: the policies answer as recorded. `different`: they do not, and `because` says what differs. `unknown`:
   * an input is missing, which `because` names. `unasked`: no policy was asked.
   */
  readonly result: "same" | "different" | "unknown" | "unasked";
  readonly because: string;
  /** What the traces do not show, and why; empty if they show everything. */
  readonly limits: readonly string[];
}

export interface ExplainedAttachment {
  readonly name: string;
  /** The path of the policy's file relative to the configuration; null if the log does not have it. */
  readonly policy: string | null;
  /** The SHA-256 of the linked policy. */
  readonly digest: string | null;
  readonly mode: string | null;
  readonly in_scope: boolean;
  /** Each condition with the value that it was compared with; empty if there is none. */
  readonly scope: readonly ScopeCondition[];
  /** Null if it was not asked. */
  readonly answer: ExplainedAnswer | null;
  /** What the policy did, in order. */
  readonly trace: readonly TraceEvent[];
  /** The place whose value was the answer; null if it is not known, or after a fault. */
  readonly returned: TracePlace | null;
}

export interface ScopeCondition {
  /** `hook`, or a field of a scope such as `labels`. */
  readonly field: string;
  /** As in the configuration. */
  readonly rule: string;
  readonly value: string;
  readonly matches: boolean;
}

export interface ExplainedAnswer {
  readonly verdict: number;
  readonly code: string | null;
  readonly reason: string | null;
  readonly fault: Fault | null;
  readonly notes: readonly string[];
  readonly unused_reasons: readonly string[];
  readonly writes: readonly { readonly map: string; readonly key: string; readonly value: string | null }[];
  readonly steps: number | null;
}

export type TraceEvent =
  | { readonly event: "read"; readonly fact: string; readonly value: unknown }
  | TracedCall
  | ({ readonly event: "branch"; readonly arm: string } & TracePlace)
  | ({ readonly event: "return" } & TracePlace)
  /** Further events are left out. */
  | { readonly event: "more"; readonly count: number };

export interface TracedCall {
  readonly event: "call";
  /** The helper; the whole line for a record of level `decision`. */
  readonly call: string;
  readonly arguments: readonly string[];
  /** The answer; undefined for a key that a map does not have. */
  readonly result: unknown;
  /** Why a signature was accepted or rejected; null for other calls. */
  readonly because: string | null;
  /** The rule that failed; null if none did. */
  readonly rule: string | null;
  /** Who signed, by the certificates of the path that was found. */
  readonly signers: readonly SignerOfRecord[];
  /**
   * The certificate path of each signer that has one, from the anchor to its certificate; for a rejected signature the
   * path that got furthest, if any was tried.
   */
  readonly paths: readonly (readonly CertificateOfRecord[])[];
}

/** A place in a policy's own files. */
export interface TracePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line. */
  readonly source: string;
}

/** Evidence with the instructions around it, if the object file is there. */
export interface ExplainedEvidence extends Evidence {
  readonly code: readonly string[];
}
