import type { ProgramSubject } from "../hooks/subject.js";
import { mapExists, programExists } from "./sys/bpf.js";

/**
 * The objects that were handed out to the tasks of one container, or of one command: no other shall be found by them. Its
 * listeners share them, since each process that a runtime adds to a container brings a listener of its own.
 */
export class Objects {
  /** Programs by the kernel's id, as they were judged and loaded; oldest first. */
  readonly #programs = new Map<number, ProgramSubject>();
  readonly #maps = new Map<number, MapEntry>();
  #mapMemory = 0;

  handOutProgram(id: number, subject: ProgramSubject): void {
    if (this.#programs.size >= REMEMBERED) this.#forgetPrograms();
    this.#programs.set(id, subject);
  }

  handOutMap(id: number, entry: MapEntry): void {
    const oldest = this.#maps.size < REMEMBERED ? undefined : this.#maps.keys().next().value;
    if (oldest !== undefined) this.#forgetMap(oldest);
    this.#maps.set(id, entry);
    this.#mapMemory += entry.memory;
  }

  program(id: number): ProgramSubject | null {
    return this.#programs.get(id) ?? null;
  }

  /** Which process created a map that was handed out here; null for any other map. */
  mapCreator(id: number): number | null {
    return this.#maps.get(id)?.creator ?? null;
  }

  /** Whether a map was created here for one program alone: the kernel lets no other use it (excl_prog_hash, Linux 6.18). */
  isExclusive(id: number): boolean {
    return this.#maps.get(id)?.exclusive ?? false;
  }

  /** Whether so many bytes more are within the quota; maps that are gone are found out when it looks as if they were not. */
  hasRoom(bytes: number, quota: number): boolean {
    if (this.#mapMemory + bytes <= quota) return true;
    for (const id of [...this.#maps.keys()]) if (!mapExists(id)) this.#forgetMap(id);
    return this.#mapMemory + bytes <= quota;
  }

  /** Makes room: for those that are gone, or else for the oldest. */
  #forgetPrograms(): void {
    for (const id of [...this.#programs.keys()]) if (!programExists(id)) this.#programs.delete(id);
    for (const oldest of this.#programs.keys()) {
      if (this.#programs.size < REMEMBERED - ROOM_MADE) break;
      this.#programs.delete(oldest);
    }
  }

  #forgetMap(id: number): void {
    this.#mapMemory -= this.#maps.get(id)?.memory ?? 0;
    this.#maps.delete(id);
  }
}

export interface MapEntry {
  /** The process that created it. */
  readonly creator: number;
  /** Bytes, as estimated from what it was asked for with. */
  readonly memory: number;
  readonly exclusive: boolean;
}

/**
 * Objects remembered of each kind. A forgotten one is not found by its id any more, nor attached where policies are asked about that;
 * those that are gone are forgotten first.
 */
const REMEMBERED = 16_384;
/** Room for so many is made at once, since each id that is looked up takes a call. */
const ROOM_MADE = 1024;
