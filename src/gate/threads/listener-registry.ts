import type { Container } from "../../policy/current.js";
import { containerKeyOf } from "../call/listener.js";
import type { FilterKind } from "../filter.js";

/** For listeners without a bookmark. */
export const NO_FILE = -1;

export interface RegisteredListener {
  readonly fd: number;
  readonly container: Container | null;
  /** A file in which stands where in the listener's calls the gate is, which stays its owner's; negative for none. */
  readonly bookmark: number;
  readonly filter: FilterKind;
}

/** The listeners that a gate serves, and their containers. */
export class ListenerRegistry {
  readonly #listeners = new Map<number, RegisteredListener>();
  /** Number of listeners by container key. */
  readonly #counts = new Map<string, number>();

  get all(): Iterable<RegisteredListener> {
    return this.#listeners.values();
  }

  /** Whether all of them are of one container, or command. */
  get alone(): boolean {
    return this.#counts.size <= 1;
  }

  /** Whether there can be others: a command has its gate for itself. */
  get shared(): boolean {
    return this.#counts.size > 0 && !this.#counts.has(NOBODY);
  }

  container(fd: number): Container | null {
    return this.#listeners.get(fd)?.container ?? null;
  }

  containerKey(fd: number): string {
    return containerKeyOf(this.container(fd));
  }

  bookmark(fd: number): number {
    return this.#listeners.get(fd)?.bookmark ?? NO_FILE;
  }

  add(listener: RegisteredListener): void {
    const { fd, bookmark } = listener;
    const kept = bookmark === NO_FILE ? this.bookmark(fd) : bookmark;
    this.remove(fd);
    this.#listeners.set(fd, { ...listener, bookmark: kept });
    this.#counts.set(this.containerKey(fd), (this.#counts.get(this.containerKey(fd)) ?? 0) + 1);
  }

  /** The container key, if this was the container's last listener; else null. */
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
