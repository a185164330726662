import { stillWaits } from "../../sys/seccomp.js";
import { type CallRecording, recordingKey } from "../task/blocking/call-recording.js";

/** The calls of one container, in order of arrival. */
interface Line {
  calls: CallRecording[];
  /** The key of the call that is being served again; null for none. */
  serving: string | null;
  timer: NodeJS.Timeout | undefined;
  /** Number of calls at which those whose tasks have exited are removed. */
  tidyAt: number;
}

/** Number of calls below which those of tasks that have exited stay. */
const FEW = 64;

/**
 * Loads that wait because too many programs were released: see {@link LoadThrottle}. They have done nothing yet, and no
 * thread waits with them. One call of each container is served again at a time, when its pause is over or when the call
 * before it was not held back again.
 */
export class ThrottledLoads {
  /** By container key. */
  readonly #lines = new Map<string, Line>();

  /** `serve` is called with each call that may ask again. */
  constructor(
    private readonly serve: (recording: CallRecording) => void,
    private readonly isPending: (listener: number, notification: Uint8Array) => boolean = stillWaits,
  ) {}

  /** Has a call wait for `pause` milliseconds, or behind those of its container that wait already. */
  wait(recording: CallRecording, containerKey: string, pause: number): void {
    const line = this.#lines.get(containerKey) ?? { calls: [], serving: null, timer: undefined, tidyAt: FEW };
    this.#lines.set(containerKey, line);
    const again = line.serving === recordingKey(recording);
    if (again) {
      line.serving = null;
      line.calls.unshift(recording);
    } else line.calls.push(recording);
    if (line.calls.length >= line.tidyAt) this.#tidy(line);
    if (line.serving !== null || line.timer !== undefined) return;
    line.timer = setTimeout(() => {
      line.timer = undefined;
      this.#next(containerKey, line);
    }, pause);
  }

  /** A call was answered, or goes on elsewhere. `key`: see {@link recordingKey}. Has no effect on any other call. */
  leave(key: string): void {
    for (const [containerKey, line] of this.#lines) {
      if (line.serving !== key) continue;
      line.serving = null;
      this.#next(containerKey, line);
      return;
    }
  }

  stop(): void {
    for (const { timer } of this.#lines.values()) clearTimeout(timer);
    this.#lines.clear();
  }

  #next(containerKey: string, line: Line): void {
    for (let recording = line.calls.shift(); recording !== undefined; recording = line.calls.shift()) {
      if (!this.#waits(recording)) continue;
      line.serving = recordingKey(recording);
      this.serve(recording);
      return;
    }
    this.#lines.delete(containerKey);
  }

  /** Tasks can be made and killed quickly. */
  #tidy(line: Line): void {
    line.calls = line.calls.filter((call) => this.#waits(call));
    line.tidyAt = FEW + 2 * line.calls.length;
  }

  #waits({ listener, notification }: CallRecording): boolean {
    return this.isPending(listener, notification);
  }
}
