import type { MessagePort } from "node:worker_threads";
import type { Config } from "../config/config.js";
import type { Decision } from "../hooks/decision.js";
import type { DecisionRequest } from "./engine.js";
import type { SealedRules } from "./keyrings.js";
import type { Commit } from "./ledger.js";
import type { ThreadMessage } from "./owned-thread.js";
import type { Texts } from "./sources.js";
import type { Standing } from "./succession.js";

/** What a decision thread is started with. */
export interface ThreadData {
  readonly config: Config;
  readonly sealed: SealedRules;
  /** What policies and maps are made of, as the first thread read it; null to that one. */
  readonly texts: Texts | null;
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A subject crosses once where it cannot change, and is known by a number after that. */
export interface ThreadRequest {
  readonly id: number;
  readonly request: Omit<DecisionRequest, "subject">;
  readonly subject: object | null;
  /** What to remember the subject by, or by what it is remembered; null to forget it at once. */
  readonly known: number | null;
  /** Attachments that answer with a fault and are not asked. */
  readonly standing: readonly Standing[];
}

export type ToThread =
  | ({ readonly do: "decide" } & ThreadRequest)
  /** `offenders`: attachments that did harm, which are not prepared before they are asked. */
  | {
      readonly do: "restore";
      readonly commits: readonly Commit[];
      readonly offenders: readonly number[];
      readonly sealed: SealedRules;
    }
  | { readonly do: "close" };

export type FromThread =
  | ThreadMessage
  /** `harmful`: attachments that cost their runtimes or modules. */
  | {
      readonly is: "decided";
      readonly id: number;
      readonly decision: Decision;
      readonly harmful: readonly number[];
    };

/** Subjects that a thread remembers: both sides count, so that each knows what the other has. */
export const SUBJECTS_KNOWN = 256;
