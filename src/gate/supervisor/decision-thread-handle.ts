import { DecisionWatch } from "../../engine/handover/watch.js";
import { OwnedThread } from "../../engine/threads/owned-thread.js";
import type { ThreadImage } from "../../engine/threads/thread-image.js";
import { close } from "../../sys/pidfd.js";
import { eventFd, ring } from "../../sys/poll.js";
import type { Tally } from "../decisions/tally.js";
import type { FromThread, ThreadData, ToThread } from "../messages/messages.js";
import { Watch } from "../task/blocking/watch.js";

/** The garbage of a decision is short-lived: 6 MB of young generation (semispaces of 2 MB) are enough. */
const HEAP = { maxYoungGenerationSizeMb: 6 };

/** A decision thread, as its supervisor uses it. */
export type SupervisedThread = Pick<
  DecisionThreadHandle,
  "watch" | "decisions" | "isReady" | "ended" | "ready" | "hold" | "post" | "received" | "end"
>;

/** Starts a decision thread and exchanges messages with it. A thread that waits for calls ends only by `stop`. */
export class DecisionThreadHandle extends OwnedThread<ToThread, FromThread> {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
  /** Whether the thread is ready to make decisions. */
  isReady = false;
  readonly #bell: number;

  /** `onMessage` receives each message of the thread. */
  constructor(
    data: Pick<
      ThreadData,
      "config" | "sealed" | "texts" | "preopened" | "isStandby" | "shadow" | "agent" | "releases"
    > & {
      readonly tally: Tally;
    },
    onMessage: (thread: SupervisedThread, message: FromThread) => void,
    image: ThreadImage | null,
  ) {
    const watch = new Watch();
    const decisions = new DecisionWatch();
    const bell = eventFd();
    const memory = { watch: watch.memory, decisions: decisions.memory, tally: data.tally.memory, bell };
    const told = (message: FromThread) => {
      if (message.is === "ready") this.isReady = true;
      onMessage(this, message);
    };
    super(image ?? "gate-thread", { ...data, ...memory } satisfies Omit<ThreadData, "port" | "image">, told, HEAP);
    this.watch = watch;
    this.decisions = decisions;
    this.#bell = bell;
    // close the eventfd only when the thread has ended: a replaced thread may stay blocked for long
    void this.ended.then(() => close(bell));
  }

  override post(message: ToThread): void {
    super.post(message);
    if (this.alive) ring(this.#bell);
  }
}
