import { OwnedThread } from "../../../engine/threads/owned-thread.js";
import { close } from "../../../sys/pidfd.js";
import { eventFd, ring } from "../../../sys/poll.js";
import type { DenialThreadData, FromDenialThread, ToDenialThread } from "./denial-messages.js";

/** The thread needs few objects. */
const HEAP = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };
/** Milliseconds until a denial thread that ended is replaced. */
const PAUSE = 1000;

/** Starts a denial thread. Tests replace it. */
export type StartDenialThread = (
  ...given: ConstructorParameters<typeof DenialThreadHandle>
) => Pick<DenialThreadHandle, "post" | "ended">;

/**
 * Listeners of containers that the agent rejects. They stay open until the last task of the container has ended: the
 * kernel accepts a second listener once the first is closed (has_duplicate_listener in kernel/seccomp.c), and tasks
 * under a filter that does not fail such calls itself could then answer their own calls. A thread of its own answers
 * EPERM to each call; it starts with the first rejection. While no such thread runs, the calls wait.
 */
export class RejectedListeners {
  /** The fd of the cursor's file by listener; negative for none. */
  readonly #cursors = new Map<number, number>();
  readonly #denied = new BigInt64Array(new SharedArrayBuffer(8));
  #thread: Pick<DenialThreadHandle, "post" | "ended"> | null = null;
  #stopping = false;

  /** `hangup` is called when no task has a listener's filter any more; the caller then closes the listener. */
  constructor(
    private readonly hangup: (listener: number) => void,
    private readonly startThread: StartDenialThread = (...given) => new DenialThreadHandle(...given),
  ) {}

  get listeners(): readonly number[] {
    return [...this.#cursors.keys()];
  }

  get size(): number {
    return this.#cursors.size;
  }

  /** Number of calls that were denied. */
  get denied(): number {
    return Number(Atomics.load(this.#denied, 0));
  }

  /** Denies all calls of a listener. `cursor`: the fd of a file for its `NotificationCursor`; negative for none. */
  hold(listener: number, cursor: number): void {
    this.#cursors.set(listener, cursor);
    if (this.#thread === null) this.#start();
    else this.#thread.post({ do: "deny", fd: listener, cursor });
  }

  /** Stops the thread. The listeners stay open. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#thread?.post({ do: "stop" });
    await this.#thread?.ended;
  }

  #start(): void {
    const thread = this.startThread(this.#denied, ({ fd }) => {
      if (this.#cursors.delete(fd)) this.hangup(fd);
    });
    this.#thread = thread;
    for (const [fd, cursor] of this.#cursors) thread.post({ do: "deny", fd, cursor });
    void thread.ended.then(() => {
      if (!this.#stopping) setTimeout(() => this.#start(), PAUSE).unref();
    });
  }
}

export class DenialThreadHandle extends OwnedThread<ToDenialThread, FromDenialThread> {
  readonly #bell: number;

  constructor(denied: BigInt64Array, onHangup: (message: FromDenialThread & { readonly is: "hangup" }) => void) {
    const bell = eventFd();
    const told = (message: { readonly is: string }) => {
      if (message.is === "hangup") onHangup(message as FromDenialThread & { readonly is: "hangup" });
    };
    super("gate-denial-thread", { bell, denied } satisfies DenialThreadData, told, HEAP);
    this.#bell = bell;
    void this.ended.then(() => close(bell));
  }

  override post(message: ToDenialThread): void {
    super.post(message);
    if (this.alive) ring(this.#bell);
  }
}
