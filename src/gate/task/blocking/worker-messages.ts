import type { ThreadMessage } from "../../../engine/threads/owned-thread.js";
import type { SerializedOp } from "./blocking-op.js";
import type { OpResult } from "./call-recording.js";

/** Messages to a blocking worker and from it. */
export type ToBlockingWorker = SerializedOp;
export type FromBlockingWorker =
  | ThreadMessage
  /** The worker's thread id, which {@link Interrupts} needs. */
  | { readonly is: "started"; readonly tid: number }
  | ({ readonly is: "result" } & OpResult);
