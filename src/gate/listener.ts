import type { ProgramSubject } from "../hooks/subject.js";
import type { Container } from "../policy/current.js";
import { notificationBuffer } from "./notification.js";

/**
 * One filter's listener: every task under that filter is heard here. It knows which objects were handed out to those tasks,
 * since no other shall be.
 */
export class Listener {
  /** Programs by the kernel's id, as they were judged; oldest first. */
  readonly #programs = new Map<number, ProgramSubject>();
  /** By id, the process that created it. */
  readonly #maps = new Map<number, number>();
  /** Bytes of the maps that were created here and still counted. */
  mapMemory = 0;
  /** Milliseconds since the epoch before which nothing is copied: its tasks made the gate wait. */
  quietUntil = 0;
  stalls = 0;
  readonly buffer = notificationBuffer();

  constructor(
    readonly fd: number,
    readonly container: Container | null,
  ) {}

  handOutProgram(id: number, subject: ProgramSubject): void {
    bounded(this.#programs, () => this.#programs.keys().next().value);
    this.#programs.set(id, subject);
  }

  handOutMap(id: number, creator: number): void {
    bounded(this.#maps, () => this.#maps.keys().next().value);
    this.#maps.set(id, creator);
  }

  program(id: number): ProgramSubject | null {
    return this.#programs.get(id) ?? null;
  }

  /** Which process created a map that was handed out here; null for any other map. */
  mapCreator(id: number): number | null {
    return this.#maps.get(id) ?? null;
  }

  hasMap(id: number): boolean {
    return this.#maps.has(id);
  }
}

/** Objects remembered for one listener. A forgotten one is not found by its id any more; its fds go on working. */
const REMEMBERED = 16_384;

function bounded(
  known: { readonly size: number; delete(key: number): boolean },
  oldest: () => number | undefined,
): void {
  const first = known.size >= REMEMBERED ? oldest() : undefined;
  if (first !== undefined) known.delete(first);
}
