import type { SkippedAttachment } from "../../engine/thread-handover-state.js";
import { close } from "../sys/pidfd.js";
import { type CallRecording, newRecording, recordingKey } from "./call-recording.js";
import type { Left } from "./watch.js";

/** A call that is served again from its beginning. `reason`: why it is denied; null where it is still to be decided. */
export interface UnansweredCall {
  readonly recording: CallRecording;
  readonly reason: string | null;
}

/**
 * Why a thread was ended: the attachment that did not return, or the reason for which its call is denied; null if
 * neither.
 */
export interface EndedOver {
  readonly skipped: SkippedAttachment | null;
  readonly reason: string | null;
}

/** Calls that a decision thread was given to serve again, and has not answered: its successor is given all of them. */
export class UnansweredCalls {
  /** By {@link recordingKey}. */
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
   * Adds the call that a thread was serving when it was ended. An attachment that did not return is out of time in it.
   * A reason denies the call. In both cases the fds that the thread had opened for the call are closed.
   */
  inherit(notification: Uint8Array, { listener, verdicts, made }: Left, { skipped, reason }: EndedOver): void {
    const fresh = newRecording(listener, notification);
    const { recording, reason: before } = this.#calls.get(recordingKey(fresh)) ?? { recording: fresh, reason: null };
    if (skipped !== null) recording.overdue.push(skipped);
    if (skipped !== null || reason !== null) for (const fd of made) close(fd);
    recording.verdicts = verdicts;
    this.add(recording, reason ?? before);
  }
}
