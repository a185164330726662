import type { Container } from "../../policy/current.js";
import type { FilterKind } from "../filter.js";
import type { IssuedObjects } from "./issued-objects.js";
import { NotificationCursor } from "./notification-cursor.js";

/** Milliseconds of waiting, within so many others, past which a listener's tasks are not waited for any longer. */
const PATIENCE = 50;
const WITHIN = 10_000;

/** One filter's listener: it receives the calls of every task under that filter. */
export class Listener {
  /** Milliseconds since the epoch: until then blocking workers serve it, because its tasks made the gate wait. */
  slowUntil = 0;
  #waited = 0;
  #since = 0;

  constructor(
    readonly fd: number,
    /** Frozen, and another one where labels have changed. */
    public container: Container | null,
    readonly objects: IssuedObjects,
    readonly cursor = new NotificationCursor(NO_FILE),
    readonly filter: FilterKind = "full",
  ) {}

  /** Whether there is none: nobody waits, and nothing can become of what is answered. */
  get isWarmUp(): boolean {
    return this.fd < 0;
  }

  /** Who is suspected, where one is: a container, with all its listeners. */
  get containerKey(): string {
    return containerKeyOf(this.container);
  }

  /** One of its tasks kept the gate waiting for so many milliseconds. True where that was too much. */
  waited(milliseconds: number): boolean {
    const now = Date.now();
    if (now - this.#since > WITHIN) {
      this.#since = now;
      this.#waited = 0;
    }
    this.#waited += milliseconds;
    return this.#waited > PATIENCE;
  }
}

const NO_FILE = -1;

export function containerKeyOf(container: Container | null): string {
  return container?.id ?? "";
}
