import type { MessagePort } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { BackoffEntry } from "../../engine/handover/backoff-table.js";
import type { Commit } from "../../engine/handover/committed-writes.js";
import type { Principal } from "../../engine/handover/principal.js";
import type { Suspensions } from "../../engine/handover/suspension-list.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import type { SealedRules } from "../../engine/load/keyrings.js";
import type { Failure } from "../../engine/threads/failure.js";
import type { ThreadMessage } from "../../engine/threads/owned-thread.js";
import type { ThreadImage } from "../../engine/threads/thread-image.js";
import type { Answer } from "../../hooks/decision.js";
import type { InstalledFiles } from "../../installed.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import type { Container } from "../../policy/model/current.js";
import type { FilterKind } from "../call/filter.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { AgentLink } from "../task/blocking/agent-link.js";
import type { SerializedOp } from "../task/blocking/blocking-op.js";
import type { CallRecording } from "../task/blocking/call-recording.js";
import type { PreopenedFiles } from "./preopened-files.js";
import type { ShadowLink, ShadowQuestion } from "./shadow-messages.js";

/** The data that a decision thread starts with. */
export interface ThreadData {
  readonly config: Config;
  /** Sealed keyrings, as the process first read them. Replaced threads and reloads do not change them. */
  readonly sealed: SealedRules;
  /** The contents of the files of policies and maps, as the previous thread read them; null for the first thread. */
  readonly texts: FileSnapshot | null;
  /** Null if the thread opens files by their paths. */
  readonly preopened: PreopenedFiles | null;
  readonly watch: SharedArrayBuffer;
  readonly decisions: SharedArrayBuffer;
  readonly tally: SharedArrayBuffer;
  /** Memory of the gate's {@link ReleaseCounter}. */
  readonly releases: SharedArrayBuffer;
  /** Eventfd that signals a message. */
  readonly bell: number;
  /** Whether listeners may wait for the thread. It is then ready sooner, and warms up between calls. */
  readonly isStandby: boolean;
  /** Null for a thread that runs a file of the bundle. */
  readonly image: ThreadImage | null;
  /** Null if the configuration has no shadow. */
  readonly shadow: ShadowLink | null;
  /** The agent of a sealed machine that the thread asks about its own calls; null for none. */
  readonly agent: AgentLink | null;
  readonly port: MessagePort;
}

/** A message with a `requestId` is answered by `done`, or by `failed` with that id. */
export type ToThread =
  /** The first message to a thread that takes over: the state of the threads before it. */
  | {
      readonly do: "inherit";
      readonly commits: readonly Commit[];
      readonly suspensions: Suspensions;
      readonly issued: readonly IssuedTo[];
      /** Null for the first thread of a gate, which has read them itself. */
      readonly sealed: SealedRules | null;
    }
  /** Objects that an earlier gate issued. */
  | { readonly do: "addIssued"; readonly issued: readonly IssuedTo[] }
  | {
      readonly do: "listen";
      readonly requestId: number;
      readonly fd: number;
      readonly container: Container | null;
      /** Fd of a file for a notification cursor; negative for none. */
      readonly cursor: number;
      readonly filter: FilterKind;
      /** Memory of the container's {@link ReleaseCounter}. */
      readonly releases: SharedArrayBuffer;
    }
  | {
      readonly do: "reload";
      readonly requestId: number;
      readonly config: Config;
      readonly sealed: SealedRules;
      readonly shadow: ShadowLink | null;
    }
  /** Answered when all messages about calls that have been answered are sent. */
  | { readonly do: "flush"; readonly requestId: number }
  | { readonly do: "logDifference"; readonly difference: ShadowDifference }
  /** The slow containers, which blocking workers serve, by container key, each with the time until which they do. */
  | { readonly do: "setSlowContainers"; readonly slowContainers: readonly (readonly [string, BackoffEntry])[] }
  /** Serve a call again or, if `reason` is not null, deny it for that reason. */
  | { readonly do: "serve"; readonly recording: CallRecording; readonly reason: string | null }
  /** Trim the thread's memory. */
  | { readonly do: "trimMemory" }
  | { readonly do: "stop" };

export type FromThread =
  | ThreadMessage
  | { readonly is: "done"; readonly requestId: number }
  /**
   * The filter with the fewest notifications that still notifies the gate of all calls that the configuration decides
   * on. Sent before `ready` and at each reload.
   */
  | { readonly is: "filter"; readonly fastest: FilterKind }
  /** All files of the installation that the first thread of a gate read. Later threads read no others. */
  | { readonly is: "installed"; readonly files: InstalledFiles }
  /** No task has a listener's filter any more. */
  | { readonly is: "hangup"; readonly fd: number }
  /** The map writes of a decision. Sent before the decision takes effect. */
  | { readonly is: "mapWrites"; readonly answers: readonly AttachmentWrites[] }
  /** Attachments, by number, whose policies lost their runtime or module, and whose call it was. */
  | { readonly is: "policyFailures"; readonly attachments: readonly number[]; readonly principal: Principal }
  /** Objects that were issued in the last milliseconds. */
  | { readonly is: "issued"; readonly issued: readonly IssuedTo[] }
  /** A call needs a blocking operation, or admission if `serialized` is null, and then another turn. */
  | { readonly is: "opNeeded"; readonly recording: CallRecording; readonly serialized: SerializedOp | null }
  /** A load may be served again in `pause` milliseconds. `isFirst`: it is the first one of its container that waits. */
  | {
      readonly is: "throttled";
      readonly recording: CallRecording;
      readonly pause: number;
      readonly isFirst: boolean;
    }
  /** The thread was replaced, and its blocking operation has ended. The thread ends after this message. */
  | { readonly is: "abandonedOpDone"; readonly recording: CallRecording }
  /** A call that the thread received by `serve` was answered. `recording`: its key. */
  | { readonly is: "served"; readonly recording: string }
  /** A decision that the shadow is to make too. */
  | { readonly is: "shadow"; readonly id: number; readonly question: ShadowQuestion }
  /** In audit a decision could not be logged, and its operation was allowed. Sent once per configuration. */
  | { readonly is: "unlogged"; readonly error: Failure }
  /** The tasks of a listener make the thread wait. */
  | { readonly is: "slowListener"; readonly fd: number }
  | ReportedDenial;

/** An issued object with the key of the container that it was issued to. */
export type IssuedTo = readonly [containerKey: string, issued: IssuedObject];

export type AttachmentWrites = Pick<Answer, "attachment" | "mode" | "writes">;

/** A denial, for the summary of a run. */
export interface ReportedDenial {
  readonly is: "denial";
  /** The id of the first decision that had this denial. */
  readonly id: string;
  readonly hook: string;
  readonly subject: string;
  readonly reason: string;
  /** `dry run`: mode `enforce` denies it. `audit`: an attachment in audit, or a default of `audit`, denies it. */
  readonly outcome: "denied" | "dry run" | "audit";
}
