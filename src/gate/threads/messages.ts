import type { MessagePort } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { BackoffEntry } from "../../engine/backoff-table.js";
import type { Commit } from "../../engine/committed-writes.js";
import type { Failure } from "../../engine/failure.js";
import type { FileSnapshot } from "../../engine/file-cache.js";
import type { SealedRules } from "../../engine/keyrings.js";
import type { ThreadMessage } from "../../engine/owned-thread.js";
import type { Suspensions } from "../../engine/thread-handover-state.js";
import type { ThreadImage } from "../../engine/thread-image.js";
import type { Answer } from "../../hooks/decision.js";
import type { InstalledFiles } from "../../installed.js";
import type { Container } from "../../policy/current.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { FilterKind } from "../filter.js";
import type { SerializedOp } from "./blocking-op.js";
import type { CallRecording, OpResult } from "./call-recording.js";
import type { PreopenedFiles } from "./preopened-files.js";

/** What a decision thread starts with. */
export interface ThreadData {
  readonly config: Config;
  /** Sealed keyrings, which stay as the process read them first, whatever becomes of threads and configurations. */
  readonly sealed: SealedRules;
  /** What policies and maps are made of, as the thread before it has it; null to the first one. */
  readonly texts: FileSnapshot | null;
  /** Null if files are opened by their paths later. */
  readonly preopened: PreopenedFiles | null;
  readonly watch: SharedArrayBuffer;
  readonly decisions: SharedArrayBuffer;
  readonly tally: SharedArrayBuffer;
  readonly bell: number;
  /** Whether listeners may wait for it: it is ready sooner then, and does the rest where nothing else is to be done. */
  readonly awaited: boolean;
  /** Null for a thread that runs a file of the bundle. */
  readonly image: ThreadImage | null;
  readonly port: MessagePort;
}

/** A message with a `requestId` is answered by `done`, or by `failed` with that id. */
export type ToThread =
  /** First, to a thread that takes over: what those before it have left. */
  | {
      readonly do: "inherit";
      readonly commits: readonly Commit[];
      readonly suspensions: Suspensions;
      readonly issued: readonly IssuedTo[];
      /** Null to a gate's first thread, which has read them itself. */
      readonly sealed: SealedRules | null;
    }
  /** Objects that an earlier gate issued. */
  | { readonly do: "remember"; readonly issued: readonly IssuedTo[] }
  | {
      readonly do: "listen";
      readonly requestId: number;
      readonly fd: number;
      readonly container: Container | null;
      /** Fd of a file for a notification cursor; negative for none. */
      readonly cursor: number;
      readonly filter: FilterKind;
    }
  | { readonly do: "reload"; readonly requestId: number; readonly config: Config; readonly sealed: SealedRules }
  /** Containers that blocking workers serve, by container key, each with the end of that time. */
  | { readonly do: "suspect"; readonly slowContainers: readonly (readonly [string, BackoffEntry])[] }
  /** Another turn of a call; or its end, where there is a reason for that. */
  | { readonly do: "serve"; readonly recording: CallRecording; readonly reason: string | null }
  | { readonly do: "settle" }
  | { readonly do: "stop" };

export type FromThread =
  | ThreadMessage
  | { readonly is: "done"; readonly requestId: number }
  /**
   * The fastest filter under which the gate is notified of all that the configuration decides: before `ready`, and at
   * each reload.
   */
  | { readonly is: "filter"; readonly fastest: FilterKind }
  /** All that the first thread of a gate read of the installation: those that come after it read nothing else. */
  | { readonly is: "installed"; readonly files: InstalledFiles }
  /** Nobody is left under a listener's filter. */
  | { readonly is: "over"; readonly fd: number }
  /** What a decision wrote to maps: before it has any effect. */
  | { readonly is: "wrote"; readonly answers: readonly Wrote[] }
  /** Attachments, by number, whose policies cost their runtimes or modules. */
  | { readonly is: "harm"; readonly attachments: readonly number[] }
  /** Objects that were issued, at most some milliseconds ago. */
  | { readonly is: "handed"; readonly issued: readonly IssuedTo[] }
  /** A call needs a blocking operation, or without one to be admitted, and then another turn. */
  | { readonly is: "awaits"; readonly recording: CallRecording; readonly serialized: SerializedOp | null }
  /** The thread was replaced, and its blocking operation has ended now. The thread ends. */
  | { readonly is: "left"; readonly recording: CallRecording }
  /** A call that was handed to the thread is over. */
  | { readonly is: "served"; readonly recording: string }
  /** In audit a decision could not be logged, and its operation was let through: the first of this thread. */
  | { readonly is: "unlogged"; readonly error: Failure }
  /** A listener's tasks keep the thread waiting. */
  | { readonly is: "slow"; readonly fd: number }
  | ToldDenial;

/** An object, and the key of the container that it was issued to. */
export type IssuedTo = readonly [containerKey: string, issued: IssuedObject];

export type Wrote = Pick<Answer, "attachment" | "mode" | "writes">;

/** Messages to a blocking worker, and from it. */
export type ToBlockingWorker = SerializedOp;
export type FromBlockingWorker =
  | ThreadMessage
  /** Its thread id, by which it can be interrupted. */
  | { readonly is: "runs"; readonly tid: number }
  | ({ readonly is: "brought" } & OpResult);

/** A denial, for the summary of a run. */
export interface ToldDenial {
  readonly is: "denial";
  readonly hook: string;
  readonly subject: string;
  readonly reason: string;
  /** `dry run`: mode `enforce` denies it. `audit`: an attachment in audit, or a default of `audit`, denies it. */
  readonly outcome: "denied" | "dry run" | "audit";
}
