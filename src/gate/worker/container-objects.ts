import { IssuedObjects } from "../call/issued-objects.js";
import type { IssuedTo } from "../messages/messages.js";

/**
 * The objects that were issued to each container, and those of them that were not reported to the main thread yet. A
 * message takes longer than the rest of a call, so they are reported together when no call is pending.
 */
export class ContainerObjects {
  /** By container key (containerKeyOf), shared by all listeners of the container. */
  readonly #objects = new Map<string, IssuedObjects>();
  #unreported: IssuedTo[] = [];

  constructor(private readonly send: (issued: readonly IssuedTo[]) => void) {}

  get hasUnreported(): boolean {
    return this.#unreported.length > 0;
  }

  /** Whether there are so many that they are reported although calls are pending. */
  get isFull(): boolean {
    return this.#unreported.length >= MAX_UNREPORTED;
  }

  /** Created at the first use. */
  of(containerKey: string): IssuedObjects {
    let objects = this.#objects.get(containerKey);
    if (objects === undefined) {
      objects = new IssuedObjects((issued) => {
        this.#unreported.push([containerKey, issued]);
        // report a private copy at once: a thread that takes over must know it
        if ("entry" in issued && issued.entry.withheld) this.report();
      });
      this.#objects.set(containerKey, objects);
    }
    return objects;
  }

  /** Adds objects that another thread issued. */
  remember(issuedTo: readonly IssuedTo[]): void {
    for (const [containerKey, issued] of issuedTo) this.of(containerKey).remember(issued);
  }

  /** Forgets a container that has no listener any more. */
  forget(containerKey: string): void {
    this.#objects.delete(containerKey);
  }

  report(): void {
    if (this.#unreported.length === 0) return;
    this.send(this.#unreported);
    this.#unreported = [];
  }

  /**
   * Reports objects that were issued to other containers before this container is served: its call may get this thread
   * terminated, and objects of another container must not be lost with it.
   */
  reportThoseOfOthers(containerKey: string): void {
    const first = this.#unreported[0];
    if (first !== undefined && first[0] !== containerKey) this.report();
  }
}

const MAX_UNREPORTED = 64;
