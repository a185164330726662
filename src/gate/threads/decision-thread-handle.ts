import { OwnedThread } from "../../engine/owned-thread.js";
import type { ThreadImage } from "../../engine/thread-image.js";
import { DecisionWatch } from "../../engine/watch.js";
import { close } from "../sys/pidfd.js";
import { eventFd, ring } from "../sys/poll.js";
import type { Tally } from "../tally.js";
import type { FromThread, ThreadData, ToThread } from "./messages.js";
import { Watch } from "./watch.js";

/** What a decision leaves behind is short-lived: two semispaces of 2 MB are enough for it, where V8 would take 16. */
const HEAP = { maxYoungGenerationSizeMb: 6 };

/** Starts one decision thread and exchanges messages with it. While it waits for calls, only `stop` ends it. */
export class DecisionThreadHandle extends OwnedThread<ToThread, FromThread> {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
  /** Whether it can decide by now. */
  isReady = false;
  readonly #bell: number;

  /** `hear` is told of what it says. */
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
    // it may stay blocked long after it was replaced
    void this.ended.then(() => close(bell));
  }

  override tell(message: ToThread): void {
    super.tell(message);
    if (this.alive) ring(this.#bell);
  }
}
