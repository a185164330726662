import type { MessagePort } from "node:worker_threads";
import type { Config } from "../config/config.js";
import type { Decision } from "../hooks/decision.js";
import type { SealedRules } from "./keyrings.js";
import type { Commit } from "./ledger.js";
import type { ThreadMessage } from "./owned-thread.js";
import type { DecisionRequest } from "./request.js";
import type { Texts } from "./sources.js";
import type { Standing } from "./succession.js";

/** The `workerData` of a decision thread. */
export interface ThreadData {
  readonly config: Config;
  readonly sealed: SealedRules;
  /** The texts of policies and maps as the first thread read them; null for the first thread. */
  readonly texts: Texts | null;
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A request for a decision. A subject that cannot change is sent once, and referred to by a number after that. */
export interface ThreadRequest {
  readonly id: number;
  readonly request: Omit<DecisionRequest, "subject">;
  readonly subject: object | null;
  /**
   * The number under which the thread stores `subject`, or finds it if `subject` is null; null if it is not to be
   * stored.
   */
  readonly known: number | null;
  /** Attachments that are not asked, each with the fault that is their answer. */
  readonly standing: readonly Standing[];
}

export type ToThread =
  | ({ readonly do: "decide" } & ThreadRequest)
  /** `offenders`: the numbers of attachments that harmed their module. They are prepared only when they are asked. */
  | {
      readonly do: "restore";
      readonly commits: readonly Commit[];
      readonly offenders: readonly number[];
      readonly sealed: SealedRules;
    }
  | { readonly do: "close" };

export type FromThread =
  | ThreadMessage
  /** `harmful`: the numbers of attachments whose runtime or module had to be ended. */
  | {
      readonly is: "decided";
      readonly id: number;
      readonly decision: Decision;
      readonly harmful: readonly number[];
    };

/**
 * How many subjects a decision thread stores. Both sides evict in the same order, so that the sender knows what is
 * stored.
 */
export const SUBJECTS_KNOWN = 256;
