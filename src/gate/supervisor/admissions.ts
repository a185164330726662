import { type CallRecording, recordingKey } from "../task/blocking/call-recording.js";

/** Maximum number of admitted calls: one less than there are workers, so that one worker is left for other calls. */
const MOST = 3;

/**
 * Limits how many long calls, such as program loads, run at the same time: one for each container, and {@link MOST} in
 * all. A call keeps its copies of the task's memory until it is answered, so this bounds the memory of such calls; a
 * call that waits for admission holds almost none. The container that has waited longest is admitted next.
 */
export class Admissions {
  /** The container key of each admitted call, by {@link recordingKey}. */
  readonly #admitted = new Map<string, string>();
  /** Calls that wait for admission, by container key, in order of arrival. */
  readonly #waiting = new Map<string, CallRecording[]>();

  /** `admit` is called with each call that is admitted. */
  constructor(private readonly admit: (recording: CallRecording) => void) {}

  wait(recording: CallRecording, containerKey: string): void {
    const recordings = this.#waiting.get(containerKey) ?? [];
    recordings.push(recording);
    this.#waiting.set(containerKey, recordings);
    this.#next();
  }

  /** The call was answered. `name`: see {@link recordingKey}. Has no effect on a call that was not admitted. */
  leave(name: string): void {
    if (this.#admitted.delete(name)) this.#next();
  }

  #next(): void {
    const busy = new Set(this.#admitted.values());
    for (const [containerKey, [recording, ...later]] of this.#waiting) {
      if (this.#admitted.size >= MOST) return;
      if (recording === undefined || busy.has(containerKey)) continue;
      // move the container to the end of the map: round-robin
      this.#waiting.delete(containerKey);
      if (later.length > 0) this.#waiting.set(containerKey, later);
      busy.add(containerKey);
      this.#admitted.set(recordingKey(recording), containerKey);
      this.admit({ ...recording, admitted: true });
    }
  }
}
