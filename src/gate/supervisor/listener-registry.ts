import type { Container } from "../../policy/model/current.js";
import type { FilterKind } from "../call/filter.js";
import { containerKeyOf } from "../call/listener.js";
import { ReleaseCounter } from "../call/release-counter.js";

/** The `cursor` of a listener that has no file for its notification cursor. */
export const NO_FILE = -1;

export interface RegisteredListener {
  readonly fd: number;
  readonly container: Container | null;
  /** Fd of the file for the notification cursor; negative for none. The registry does not close it. */
  readonly cursor: number;
  readonly filter: FilterKind;
  /** Memory of the container's {@link ReleaseCounter}, which all its listeners share. */
  readonly releases: SharedArrayBuffer;
}

/** The listeners that the gate serves, and their containers. */
export class ListenerRegistry {
  readonly #listeners = new Map<number, RegisteredListener>();
  /** By container key. */
  readonly #containers = new Map<string, { listeners: number; readonly releases: SharedArrayBuffer }>();

  get all(): Iterable<RegisteredListener> {
    return this.#listeners.values();
  }

  /** Whether all listeners belong to one container, or to the command of `run`. */
  get alone(): boolean {
    return this.#containers.size <= 1;
  }

  /** Whether the gate serves containers. The gate of `run` serves one command only and can have no other listeners. */
  get shared(): boolean {
    return this.#containers.size > 0 && !this.#containers.has(NOBODY);
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

  /** Adds a listener, or replaces what is known of it. Returns it. */
  add(listener: Omit<RegisteredListener, "releases">): RegisteredListener {
    const { fd, container } = listener;
    const cursor = listener.cursor === NO_FILE ? this.cursor(fd) : listener.cursor;
    const containerKey = containerKeyOf(container);
    const known = this.#containers.get(containerKey) ?? { listeners: 0, releases: new ReleaseCounter().memory };
    this.remove(fd);
    const added = { ...listener, cursor, releases: known.releases };
    this.#listeners.set(fd, added);
    const listeners = (this.#containers.get(containerKey)?.listeners ?? 0) + 1;
    this.#containers.set(containerKey, { listeners, releases: known.releases });
    return added;
  }

  /** Removes a listener. Returns the container key if this was the container's last listener; else null. */
  remove(fd: number): string | null {
    if (!this.#listeners.has(fd)) return null;
    const containerKey = this.containerKey(fd);
    this.#listeners.delete(fd);
    const container = this.#containers.get(containerKey)!;
    container.listeners -= 1;
    if (container.listeners > 0) return null;
    this.#containers.delete(containerKey);
    return containerKey;
  }
}

const NOBODY = containerKeyOf(null);
