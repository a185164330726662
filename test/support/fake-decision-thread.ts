import { DecisionWatch } from "../../src/engine/handover/watch.js";
import type { Failure } from "../../src/engine/threads/failure.js";
import type { FromThread, ToThread } from "../../src/gate/messages/messages.js";
import type { SupervisedThread } from "../../src/gate/supervisor/decision-thread-handle.js";
import { Watch } from "../../src/gate/task/blocking/watch.js";

/** A decision thread that runs no code: a test sends its messages, and changes the memory that its watcher reads. */
export class FakeDecisionThread implements SupervisedThread {
  readonly watch = new Watch();
  readonly decisions = new DecisionWatch();
  isReady = false;
  /** Whether the thread keeps the process alive. */
  isHeld = false;
  isTerminated = false;
  /** The messages to the thread. */
  readonly posted: ToThread[] = [];
  readonly ended: Promise<Failure>;
  #end!: (failure: Failure) => void;
  readonly #ready: Promise<Failure | null>;
  #setReady!: (failure: Failure | null) => void;
  readonly #received: FromThread[] = [];

  constructor(private readonly onMessage: (thread: SupervisedThread, message: FromThread) => void) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#ready = new Promise((resolve) => {
      this.#setReady = resolve;
    });
  }

  /** The thread sends a message. */
  say(message: FromThread): void {
    if (message.is === "ready") {
      this.isReady = true;
      this.#setReady(null);
    }
    if (message.is === "failed" && message.id === null) this.#setReady(message.error);
    this.onMessage(this, message);
  }

  /** The thread sends a message that is not delivered before the caller asks for it. */
  sayLate(message: FromThread): void {
    this.#received.push(message);
  }

  /** The thread ends by itself. */
  exit(message: string): void {
    this.#end({ code: "INTERNAL", message, place: undefined, remedy: undefined });
  }

  ready(): Promise<Failure | null> {
    return this.#ready;
  }

  hold(held: boolean): void {
    this.isHeld = held;
  }

  post(message: ToThread): void {
    this.posted.push(message);
    if (message.do === "stop") this.exit("stopped");
  }

  *received(): Generator<FromThread> {
    yield* this.#received.splice(0);
  }

  async end(): Promise<void> {
    this.isTerminated = true;
    this.exit("terminated");
  }

  /** The kinds of the messages to the thread. */
  get postedKinds(): readonly ToThread["do"][] {
    return this.posted.map((message) => message.do);
  }
}
