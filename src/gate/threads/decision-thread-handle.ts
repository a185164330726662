import { OwnedThread } from "../../engine/owned-thread.js";
import type { ThreadImage } from "../../engine/thread-image.js";
import { DecisionWatch } from "../../engine/watch.js";
import { close } from "../sys/pidfd.js";
import { eventFd, ring } from "../sys/poll.js";
import type { Tally } from "../tally.js";
import type { FromThread, ThreadData, ToThread } from "./messages.js";
import { Watch } from "./watch.js";

/** The garbage of a decision is short-lived: 6 MB of young generation (semispaces of 2 MB) are enough. */
const HEAP = { maxYoungGenerationSizeMb: 6 };

/** Starts a decision thread and exchanges messages with it. A thread that waits for calls ends only by `stop`. */
export class DecisionThreadHandle extends OwnedThread<ToThread, FromThread> {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
  /** Whether the thread is ready to make decisions. */
  isReady = false;
  readonly #bell: number;

  /** `hear` receives each message of the thread. */
  constructor(
    data: Pick<ThreadData, "config" | "sealed" | "texts" | "preopened" | "awaited"> & { readonly tally: Tally },
    hear: (thread: DecisionThreadHandle, message: FromThread) => void,
    image: ThreadImage | null,
  ) {
    const watch = new Watch();
    const decisions = new DecisionWatch();
    const bell = eventFd();
    const memory = { watch: watch.memory, decisions: decisions.memory, tally: data.tally.memory, bell };
    const told = (message: FromThread) => {
      if (message.is === "ready") this.isReady = true;
      hear(this, message);
    };
    super(image ?? "gate-thread", { ...data, ...memory } satisfies Omit<ThreadData, "port" | "image">, told, HEAP);
    this.watch = watch;
    this.decisions = decisions;
    this.#bell = bell;
    // close the eventfd only when the thread has ended: a replaced thread may stay blocked for long
    void this.ended.then(() => close(bell));
  }

  override tell(message: ToThread): void {
    super.tell(message);
    if (this.alive) ring(this.#bell);
  }
}
