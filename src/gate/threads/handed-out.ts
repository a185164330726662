import { type Handed, Objects } from "../call/objects.js";
import type { HandedTo } from "./messages.js";

/** What was handed out to whose tasks: for a decision thread that takes over, and for the gate that comes after this one. */
export class HandedOut {
  readonly #objects = new Map<string, Objects>();

  /** All of it, but for what is gone. */
  get all(): readonly HandedTo[] {
    return [...this.#objects.keys()].flatMap((whose) => this.to(whose));
  }

  /** The same of one container, or command. */
  to(whose: string): readonly HandedTo[] {
    return this.#objects.get(whose)?.all.map((object): HandedTo => [whose, object]) ?? [];
  }

  /** Remembers more of it, and gives that by whose it is. */
  add(handed: readonly HandedTo[]): ReadonlyMap<string, readonly Handed[]> {
    const groups = new Map<string, Handed[]>();
    for (const [whose, object] of handed) {
      const group = groups.get(whose) ?? [];
      groups.set(whose, group);
      group.push(object);
    }
    for (const [whose, group] of groups) this.#remember(whose, group);
    return groups;
  }

  /** Nobody of theirs is left. */
  forget(whose: string): void {
    this.#objects.delete(whose);
  }

  #remember(whose: string, handed: readonly Handed[]): void {
    const objects = this.#objects.get(whose) ?? new Objects();
    this.#objects.set(whose, objects);
    for (const object of handed) objects.remember(object);
    objects.tidy();
  }
}
