import type { DecisionRequest } from "../decision/request.js";
import type { Commit } from "../handover/committed-writes.js";
import type { SkippedAttachment } from "../handover/suspension-list.js";
import { DecisionWatch } from "../handover/watch.js";
import type { SealedRules } from "../load/keyrings.js";
import { type FromThread, SUBJECTS_KNOWN, type ThreadData, type ToThread } from "./messages.js";
import { OwnedThread } from "./owned-thread.js";

/** A decision thread, as its watcher sees it. */
export class WatchedThread extends OwnedThread<ToThread, FromThread> {
  readonly watch: DecisionWatch;
  /** Whether it has opened its engine and can decide. */
  isReady = false;
  readonly #known = new WeakMap<object, number>();
  #lastKnown = 0;

  /** `onMessage` gets the messages that arrive while no caller is blocked. */
  constructor(
    data: Omit<ThreadData, "memory" | "port">,
    onMessage: (thread: WatchedThread, message: FromThread) => void,
  ) {
    const watch = new DecisionWatch();
    super("engine-thread", { ...data, memory: watch.memory } satisfies Omit<ThreadData, "port">, (message) =>
      onMessage(this, message),
    );
    this.watch = watch;
  }

  decide(id: number, { subject, ...request }: DecisionRequest, skipped: readonly SkippedAttachment[]): void {
    // Only an immutable subject may be referred to by number later
    const fixed = Object.isFrozen(subject);
    const known = fixed ? this.#known.get(subject) : undefined;
    const there = known !== undefined && known > this.#lastKnown - SUBJECTS_KNOWN;
    if (fixed && !there) this.#known.set(subject, ++this.#lastKnown);
    this.post({
      do: "decide",
      id,
      request,
      subject: there ? null : subject,
      known: there ? known : fixed ? this.#lastKnown : null,
      skipped,
    });
  }

  /**
   * Repeats map writes that were committed in another thread, and uses the CRLs that its sealed keyrings accepted.
   * `failing` are attachments, by number, with failures in that thread.
   */
  restore(commits: readonly Commit[], failing: readonly number[], sealed: SealedRules): void {
    if (commits.length > 0 || failing.length > 0 || sealed.size > 0)
      this.post({ do: "restore", commits, failing, sealed });
  }

  /** Lets the thread finish its current work and close its files; terminates it if it takes too long. */
  async close(): Promise<void> {
    this.post({ do: "close" });
    const timer = setTimeout(() => void this.end(), 1000);
    await this.ended;
    clearTimeout(timer);
  }

  override post(message: ToThread): void {
    super.post(message);
    this.watch.requested();
  }
}
