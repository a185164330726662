import { type IssuedObject, IssuedObjects } from "../call/issued-objects.js";
import type { IssuedTo } from "../messages/messages.js";

/** Issued objects by container key, for a decision thread that takes over and for the next gate process. */
export class IssuedByContainer {
  readonly #objects = new Map<string, IssuedObjects>();

  /** All objects that still exist. */
  get all(): readonly IssuedTo[] {
    return [...this.#objects.keys()].flatMap((containerKey) => this.to(containerKey));
  }

  /** The objects of one container, or of the command of `run`, that still exist. */
  to(containerKey: string): readonly IssuedTo[] {
    return this.#objects.get(containerKey)?.all.map((object): IssuedTo => [containerKey, object]) ?? [];
  }

  /** Adds objects, and returns them grouped by container key. */
  add(issued: readonly IssuedTo[]): ReadonlyMap<string, readonly IssuedObject[]> {
    const groups = new Map<string, IssuedObject[]>();
    for (const [containerKey, object] of issued) {
      const group = groups.get(containerKey) ?? [];
      groups.set(containerKey, group);
      group.push(object);
    }
    for (const [containerKey, group] of groups) this.#remember(containerKey, group);
    return groups;
  }

  /** Removes the objects of a container whose last listener is gone. */
  forget(containerKey: string): void {
    this.#objects.delete(containerKey);
  }

  #remember(containerKey: string, issued: readonly IssuedObject[]): void {
    const objects = this.#objects.get(containerKey) ?? new IssuedObjects();
    this.#objects.set(containerKey, objects);
    for (const object of issued) objects.remember(object);
    objects.tidy();
  }
}
