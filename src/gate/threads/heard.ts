import type { Container } from "../../policy/current.js";
import { suspectOf } from "../call/listener.js";
import type { FilterKind } from "../filter.js";

/** For listeners without a bookmark. */
export const NO_FILE = -1;

export interface HeardListener {
  readonly fd: number;
  readonly container: Container | null;
  /** A file in which stands where in the listener's calls the gate is, which stays its owner's; negative for none. */
  readonly bookmark: number;
  readonly filter: FilterKind;
}

/** The listeners that a gate hears, and whose they are: see {@link suspectOf}. */
export class Heard {
  readonly #listeners = new Map<number, HeardListener>();
  /** Listeners by whose they are. */
  readonly #counts = new Map<string, number>();

  get all(): Iterable<HeardListener> {
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

  whose(fd: number): string {
    return suspectOf(this.container(fd));
  }

  bookmark(fd: number): number {
    return this.#listeners.get(fd)?.bookmark ?? NO_FILE;
  }

  add(listener: HeardListener): void {
    const { fd, bookmark } = listener;
    const kept = bookmark === NO_FILE ? this.bookmark(fd) : bookmark;
    this.remove(fd);
    this.#listeners.set(fd, { ...listener, bookmark: kept });
    this.#counts.set(this.whose(fd), (this.#counts.get(this.whose(fd)) ?? 0) + 1);
  }

  /** Whose it was, where it was the last of theirs; else null. */
  remove(fd: number): string | null {
    if (!this.#listeners.has(fd)) return null;
    const whose = this.whose(fd);
    this.#listeners.delete(fd);
    const left = this.#counts.get(whose)! - 1;
    if (left > 0) this.#counts.set(whose, left);
    else this.#counts.delete(whose);
    return left > 0 ? null : whose;
  }
}

const NOBODY = suspectOf(null);
