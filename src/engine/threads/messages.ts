import type { MessagePort } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { Decision } from "../../hooks/decision.js";
import type { DecisionRequest } from "../decision/request.js";
import type { Commit } from "../handover/committed-writes.js";
import type { SkippedAttachment } from "../handover/suspension-list.js";
import type { FileSnapshot } from "../load/file-cache.js";
import type { SealedRules } from "../load/keyrings.js";
import type { ThreadMessage } from "./owned-thread.js";

/** The `workerData` of a decision thread. */
export interface ThreadData {
  readonly config: Config;
  readonly sealed: SealedRules;
  /** The texts of policies and maps as the first thread read them; null for the first thread. */
  readonly texts: FileSnapshot | null;
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A request for a decision. An immutable subject is sent once and later referred to by a number. */
export interface ThreadRequest {
  readonly id: number;
  readonly request: Omit<DecisionRequest, "subject">;
  readonly subject: object | null;
  /**
   * The number under which the thread stores `subject`, or, if `subject` is null, finds it; null if it is not to be
   * stored.
   */
  readonly known: number | null;
  /** Attachments that are not asked, each with its fault. */
  readonly skipped: readonly SkippedAttachment[];
}

export type ToThread =
  | ({ readonly do: "decide" } & ThreadRequest)
  /**
   * `failing`: attachments, by number, whose policies lost a runtime or module. Their runtimes are created when they
   * are asked.
   */
  | {
      readonly do: "restore";
      readonly commits: readonly Commit[];
      readonly failing: readonly number[];
      readonly sealed: SealedRules;
    }
  | { readonly do: "close" };

export type FromThread =
  | ThreadMessage
  /** `harmful`: attachments, by number, whose policies lost their runtime or module. */
  | {
      readonly is: "decided";
      readonly id: number;
      readonly decision: Decision;
      readonly harmful: readonly number[];
    };

/**
 * The number of subjects that a decision thread stores. Both sides evict in the same order, so the sender knows which
 * are stored.
 */
export const SUBJECTS_KNOWN = 256;
