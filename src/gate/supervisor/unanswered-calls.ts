import type { SkippedAttachment } from "../../engine/handover/suspension-list.js";
import { close } from "../../sys/pidfd.js";
import { type CallRecording, newRecording, recordingKey } from "../task/blocking/call-recording.js";
import type { UnfinishedCall } from "../task/blocking/watch.js";

/** A call that is served again from its beginning. `reason`: why it is denied; null if it is not decided yet. */
export interface UnansweredCall {
  readonly recording: CallRecording;
  readonly reason: string | null;
}

/**
 * Why a thread was terminated: `skipped` is the attachment that did not return, `reason` the reason for which the call
 * is denied. Both are null if neither applies.
 */
export interface TerminationResult {
  readonly skipped: SkippedAttachment | null;
  readonly reason: string | null;
}

/** Calls that a decision thread has to serve again and has not answered. The next thread serves all of them. */
export class UnansweredCalls {
  /** The calls by {@link recordingKey}. */
  readonly #calls = new Map<string, UnansweredCall>();

  get all(): Iterable<UnansweredCall> {
    return this.#calls.values();
  }

  add(recording: CallRecording, reason: string | null): void {
    this.#calls.set(recordingKey(recording), { recording, reason });
  }

  /** `name`: see {@link recordingKey}. */
  remove(name: string): void {
    this.#calls.delete(name);
  }

  /**
   * Adds the call that a thread was serving when it was terminated. `skipped` is not asked again about this call;
   * `reason` denies it. In both cases, closes the fds that the thread had opened for the call.
   */
  inherit(
    notification: Uint8Array,
    { listener, verdicts, made }: UnfinishedCall,
    { skipped, reason }: TerminationResult,
  ): void {
    const fresh = newRecording(listener, notification);
    const { recording, reason: before } = this.#calls.get(recordingKey(fresh)) ?? { recording: fresh, reason: null };
    if (skipped !== null) recording.overdue.push(skipped);
    if (skipped !== null || reason !== null) for (const fd of made) close(fd);
    recording.verdicts = verdicts;
    this.add(recording, reason ?? before);
  }
}
