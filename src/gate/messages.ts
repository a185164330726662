import type { Config } from "../config/config.js";
import type { SealedRules } from "../engine/keyrings.js";
import type { Container } from "../policy/current.js";
import type { MapWrite } from "../policy/map.js";

/** What a decision thread starts with. */
export interface ThreadData {
  readonly config: Config;
  /** Sealed keyrings, which stay as the process read them first, whatever becomes of threads and configurations. */
  readonly sealed: SealedRules;
  readonly watch: SharedArrayBuffer;
  readonly tally: SharedArrayBuffer;
  readonly bell: number;
  /** What was written to maps in threads before this one. */
  readonly writes: readonly CommittedWrite[];
  /** Why the thread before this one was ended; null where it is the first. */
  readonly ended: Ended | null;
}

export interface CommittedWrite {
  readonly attachment: string;
  readonly write: MapWrite;
}

/** A thread that had to be ended, and the task whose call it was at. */
export interface Ended {
  readonly tid: number;
  readonly reason: string;
}

export type ToThread =
  | { readonly do: "listen"; readonly fd: number; readonly container: Container | null }
  | { readonly do: "reload"; readonly config: Config; readonly sealed: SealedRules }
  | { readonly do: "settle" }
  | { readonly do: "stop" };

export type FromThread =
  | { readonly is: "ready" }
  | { readonly is: "listening"; readonly fd: number }
  | { readonly is: "done"; readonly fd: number }
  | { readonly is: "reloaded" }
  | { readonly is: "wrote"; readonly attachment: string; readonly writes: readonly MapWrite[] }
  | ToldRefusal
  | {
      readonly is: "failed";
      readonly code: string;
      readonly message: string;
      readonly place?: string;
      readonly remedy?: string;
    };

export interface ToldRefusal {
  readonly is: "refusal";
  readonly hook: string;
  readonly subject: string;
  readonly reason: string;
  /** False for what audit let through. */
  readonly enforced: boolean;
}
