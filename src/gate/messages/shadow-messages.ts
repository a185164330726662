import type { MessagePort } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { DecisionRequest } from "../../engine/decision/request.js";
import type { Decided } from "../../engine/shadow-change.js";
import type { ThreadMessage } from "../../engine/threads/owned-thread.js";
import type { ThreadImage } from "../../engine/threads/thread-image.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import type { PreopenedFiles } from "./preopened-files.js";

/** What a decision thread knows of the shadow. */
export interface ShadowLink {
  /** Differs for each shadow of a process. */
  readonly id: number;
  /** See `ShadowBacklog`. */
  readonly backlog: SharedArrayBuffer;
  /** Hooks that the configuration must serve, so that the shadow is asked. */
  readonly hooks: readonly HookName[];
}

/** The data that the shadow's thread starts with. */
export interface ShadowThreadData {
  readonly isShadow: true;
  /** The shadow, without a log. */
  readonly config: Config;
  readonly preopened: PreopenedFiles | null;
  readonly decisions: SharedArrayBuffer;
  readonly tally: SharedArrayBuffer;
  readonly backlog: SharedArrayBuffer;
  readonly image: ThreadImage | null;
  readonly port: MessagePort;
}

/** What was decided, and what it was decided about. Plain data. */
export interface ShadowQuestion {
  readonly request: DecisionRequest;
  readonly decided: Decided;
  /** Approximate size of the question. */
  readonly bytes: number;
}

export type ToShadow =
  | { readonly do: "decide"; readonly question: ShadowQuestion }
  /** End after all questions before this message. */
  | { readonly do: "finish" };

export type FromShadow =
  | ThreadMessage
  /** Sent before `ready`: see {@link ShadowLink}. */
  | { readonly is: "hooks"; readonly hooks: readonly HookName[] }
  | { readonly is: "difference"; readonly difference: ShadowDifference };
