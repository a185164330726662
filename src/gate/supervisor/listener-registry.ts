import type { Container } from "../../policy/model/current.js";
import type { FilterKind } from "../call/filter.js";
import { containerKeyOf } from "../call/listener.js";

/** The `cursor` of a listener that has no file for its notification cursor. */
export const NO_FILE = -1;

export interface RegisteredListener {
  readonly fd: number;
  readonly container: Container | null;
  /** Fd of the file for the notification cursor; negative for none. The registry does not close it. */
  readonly cursor: number;
  readonly filter: FilterKind;
}

/** The listeners that the gate serves, and their containers. */
export class ListenerRegistry {
  readonly #listeners = new Map<number, RegisteredListener>();
  /** Number of listeners by container key. */
  readonly #counts = new Map<string, number>();

  get all(): Iterable<RegisteredListener> {
    return this.#listeners.values();
  }

  /** Whether all listeners belong to one container, or to the command of `run`. */
  get alone(): boolean {
    return this.#counts.size <= 1;
  }

  /** Whether the gate serves containers. The gate of `run` serves one command only and can have no other listeners. */
  get shared(): boolean {
    return this.#counts.size > 0 && !this.#counts.has(NOBODY);
  }

  container(fd: number): Container | null {
    return this.#listeners.get(fd)?.container ?? null;
  }

  containerKey(fd: number): string {
    return containerKeyOf(this.container(fd));
  }

  cursor(fd: number): number {
    return this.#listeners.get(fd)?.cursor ?? NO_FILE;
  }

  add(listener: RegisteredListener): void {
    const { fd, cursor } = listener;
    const kept = cursor === NO_FILE ? this.cursor(fd) : cursor;
    this.remove(fd);
    this.#listeners.set(fd, { ...listener, cursor: kept });
    this.#counts.set(this.containerKey(fd), (this.#counts.get(this.containerKey(fd)) ?? 0) + 1);
  }

  /** Removes a listener. Returns the container key if this was the container's last listener; else null. */
  remove(fd: number): string | null {
    if (!this.#listeners.has(fd)) return null;
    const containerKey = this.containerKey(fd);
    this.#listeners.delete(fd);
    const left = this.#counts.get(containerKey)! - 1;
    if (left > 0) this.#counts.set(containerKey, left);
    else this.#counts.delete(containerKey);
    return left > 0 ? null : containerKey;
  }
}

const NOBODY = containerKeyOf(null);
