import { type CallRecording, recordingKey } from "./call-recording.js";

/** Calls admitted at the same time: one less than there are workers, so that one is left for other operations. */
const MOST = 3;

/**
 * Admits calls that take the kernel or the analysis long: of each container one at a time, and of all of them {@link
 * MOST}. What a call copies is kept until it is answered, so that this bounds the memory that such calls take; one that
 * waits takes next to none. The container that has waited longest is next.
 */
export class Admissions {
  /** Containers of admitted calls, by {@link recordingKey}. */
  readonly #admitted = new Map<string, string>();
  /** Calls that wait, by container key; the one that has waited longest first. */
  readonly #waiting = new Map<string, CallRecording[]>();

  /** `admit` is told of each call whose turn it is. */
  constructor(private readonly admit: (recording: CallRecording) => void) {}

  wait(recording: CallRecording, containerKey: string): void {
    const recordings = this.#waiting.get(containerKey) ?? [];
    recordings.push(recording);
    this.#waiting.set(containerKey, recordings);
    this.#next();
  }

  /** A call is over, admitted or not. */
  leave(name: string): void {
    if (this.#admitted.delete(name)) this.#next();
  }

  #next(): void {
    const busy = new Set(this.#admitted.values());
    for (const [containerKey, [recording, ...later]] of this.#waiting) {
      if (this.#admitted.size >= MOST) return;
      if (recording === undefined || busy.has(containerKey)) continue;
      // and behind the others
      this.#waiting.delete(containerKey);
      if (later.length > 0) this.#waiting.set(containerKey, later);
      busy.add(containerKey);
      this.#admitted.set(recordingKey(recording), containerKey);
      this.admit({ ...recording, admitted: true });
    }
  }
}
