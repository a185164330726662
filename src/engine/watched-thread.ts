import type { SealedRules } from "./keyrings.js";
import type { Commit } from "./ledger.js";
import { type FromThread, SUBJECTS_KNOWN, type ThreadData, type ToThread } from "./messages.js";
import { OwnedThread } from "./owned-thread.js";
import type { DecisionRequest } from "./request.js";
import type { Standing } from "./succession.js";
import { DecisionWatch } from "./watch.js";

/** One decision thread, from outside. */
export class WatchedThread extends OwnedThread<ToThread, FromThread> {
  readonly watch: DecisionWatch;
  /** Whether it has read its configuration and can decide. */
  isReady = false;
  readonly #known = new WeakMap<object, number>();
  #lastKnown = 0;

  /** `hear` is told of messages that come while nobody waits blocked. */
  constructor(data: Omit<ThreadData, "memory" | "port">, hear: (thread: WatchedThread, message: FromThread) => void) {
    const watch = new DecisionWatch();
    super("engine-thread", { ...data, memory: watch.memory } satisfies Omit<ThreadData, "port">, (message) =>
      hear(this, message),
    );
    this.watch = watch;
  }

  decide(id: number, { subject, ...request }: DecisionRequest, standing: readonly Standing[]): void {
    // only what cannot change may be known again
    const fixed = Object.isFrozen(subject);
    const known = fixed ? this.#known.get(subject) : undefined;
    const there = known !== undefined && known > this.#lastKnown - SUBJECTS_KNOWN;
    if (fixed && !there) this.#known.set(subject, ++this.#lastKnown);
    this.tell({
      do: "decide",
      id,
      request,
      subject: there ? null : subject,
      known: there ? known : fixed ? this.#lastKnown : null,
      standing,
    });
  }

  /**
   * Repeats map writes that were committed in another thread, and takes the CRLs that its sealed keyrings took;
   * `offenders` are attachments that did harm there.
   */
  restore(commits: readonly Commit[], offenders: readonly number[], sealed: SealedRules): void {
    if (commits.length > 0 || offenders.length > 0 || sealed.size > 0)
      this.tell({ do: "restore", commits, offenders, sealed });
  }

  /** Lets the thread finish what it is doing and close its files; ends it if it does not. */
  async close(): Promise<void> {
    this.tell({ do: "close" });
    const timer = setTimeout(() => void this.end(), 1000);
    await this.ended;
    clearTimeout(timer);
  }

  override tell(message: ToThread): void {
    super.tell(message);
    this.watch.requested();
  }
}
