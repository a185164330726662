import type { ProgramSubject } from "../../hooks/subject.js";
import { LruCache } from "../../lru-cache.js";
import { mapExists, programExists } from "../sys/bpf.js";

/**
 * The objects whose fds the gate issued to the tasks of one container, or of one command. These tasks cannot open any
 * other by its id. All listeners of a container share one instance, since each process that a runtime adds to the
 * container has a listener of its own.
 */
export class IssuedObjects {
  /** Programs by the kernel's id, as they were judged and loaded; oldest first. */
  readonly #programs = new Map<number, ProgramSubject>();
  readonly #maps = new Map<number, MapEntry>();
  /** Denials to its tasks that were logged. */
  readonly #denied = new LruCache<string, true>(REMEMBERED);
  #mapMemory = 0;
  /** Bytes that the programs' facts take, and with how many it is looked which programs are gone. */
  #bytes = 0;
  #sweepBytes = SWEEP_BYTES;
  #sweepAt = SWEEP;
  /** Where looking for maps that are gone goes on. */
  #lookedAt = new Map<number, MapEntry>().keys();

  /** `tell` is called for each object that is issued. */
  constructor(private readonly tell: (issued: IssuedObject) => void = () => undefined) {}

  issueProgram(id: number, subject: ProgramSubject): void {
    this.#rememberProgram(id, subject);
    this.tell({ id, subject });
  }

  /** Adds an object that another thread or an earlier gate issued. */
  remember(issued: IssuedObject): void {
    if ("subject" in issued) this.#rememberProgram(issued.id, Object.freeze(issued.subject));
    else this.#rememberMap(issued.id, issued.entry);
  }

  /** All that is remembered, but for what is gone. */
  get all(): readonly IssuedObject[] {
    this.#sweep();
    return [
      ...Array.from(this.#programs, ([id, subject]) => ({ id, subject })),
      ...Array.from(this.#maps, ([id, entry]) => ({ id, entry })),
    ];
  }

  /** Forgets what is gone, once there is enough of all. For who remembers without ever being asked. */
  tidy(): void {
    if (this.#programs.size + this.#maps.size < this.#sweepAt) return;
    this.#sweep();
    this.#sweepAt = SWEEP + 2 * (this.#programs.size + this.#maps.size);
  }

  issueMap(id: number, entry: MapEntry): void {
    this.#rememberMap(id, entry);
    this.tell({ id, entry });
  }

  program(id: number): ProgramSubject | null {
    return this.#programs.get(id) ?? null;
  }

  /** The process that created a map that was issued here; null for any other map. */
  mapCreator(id: number): number | null {
    return this.#maps.get(id)?.creator ?? null;
  }

  /**
   * Whether a map was created here for one program alone: the kernel lets no other use it (excl_prog_hash, Linux 6.18).
   */
  isExclusive(id: number): boolean {
    return this.#maps.get(id)?.exclusive ?? false;
  }

  /** Whether a map is a copy that the gate made for one program: no task of any container may open it. */
  isPrivateCopy(id: number): boolean {
    return PRIVATE_COPIES.has(id);
  }

  /**
   * Whether one more map of so many bytes is within the quota, and within how many can be remembered: one that were
   * forgotten would count no longer. Maps that are gone are found out when it looks as if there were no room, some at a
   * time, since others wait.
   */
  hasRoom(bytes: number, quota: number): boolean {
    if (this.#fits(bytes, quota)) return true;
    for (let looks = Math.min(SWEEP, this.#maps.size); looks > 0; looks -= 1) {
      let next = this.#lookedAt.next();
      if (next.done) {
        this.#lookedAt = this.#maps.keys();
        next = this.#lookedAt.next();
      }
      if (next.value !== undefined && !mapExists(next.value)) this.#forgetMap(next.value);
    }
    return this.#fits(bytes, quota);
  }

  /** Returns true the first time that `what` is denied to its tasks. Old entries are forgotten. */
  isDeniedFirst(what: string): boolean {
    if (this.#denied.get(what) !== undefined) return false;
    this.#denied.set(what, true);
    return true;
  }

  #fits(bytes: number, quota: number): boolean {
    return this.#mapMemory + bytes <= quota && this.#maps.size < REMEMBERED;
  }

  #rememberProgram(id: number, subject: ProgramSubject): void {
    this.#forgetProgram(id);
    const bytes = this.#bytes + bytesOf(subject);
    if (this.#programs.size >= REMEMBERED || bytes > this.#sweepBytes) this.#forgetPrograms(bytesOf(subject));
    this.#programs.set(id, subject);
    this.#bytes += bytesOf(subject);
  }

  #rememberMap(id: number, entry: MapEntry): void {
    const oldest = this.#maps.size < REMEMBERED ? undefined : this.#maps.keys().next().value;
    if (oldest !== undefined) this.#forgetMap(oldest);
    this.#forgetMap(id);
    this.#maps.set(id, entry);
    this.#mapMemory += entry.memory;
    if (entry.withheld) addPrivateCopy(id);
  }

  /** Makes room for one more of so many bytes: forgets those that are gone, and then the oldest. */
  #forgetPrograms(bytes: number): void {
    this.#sweepPrograms();
    const fits = () => this.#programs.size < REMEMBERED && this.#bytes + bytes <= REMEMBERED_BYTES;
    if (!fits()) {
      for (const oldest of this.#programs.keys()) {
        if (this.#programs.size < REMEMBERED - ROOM_MADE && this.#bytes + bytes <= REMEMBERED_BYTES - BYTES_MADE) break;
        this.#forgetProgram(oldest);
      }
    }
    this.#sweepBytes = Math.min(REMEMBERED_BYTES, SWEEP_BYTES + 2 * (this.#bytes + bytes));
  }

  #sweepPrograms(): void {
    for (const id of [...this.#programs.keys()]) if (!programExists(id)) this.#forgetProgram(id);
  }

  #forgetProgram(id: number): void {
    const subject = this.#programs.get(id);
    if (subject === undefined) return;
    this.#bytes -= bytesOf(subject);
    this.#programs.delete(id);
  }

  #sweep(): void {
    this.#sweepPrograms();
    for (const id of [...this.#maps.keys()]) if (!mapExists(id)) this.#forgetMap(id);
  }

  #forgetMap(id: number): void {
    this.#mapMemory -= this.#maps.get(id)?.memory ?? 0;
    this.#maps.delete(id);
  }
}

/** An object whose fd was issued: a program with its facts, or a map. */
export type IssuedObject =
  | { readonly id: number; readonly subject: ProgramSubject }
  | { readonly id: number; readonly entry: MapEntry };

export interface MapEntry {
  /** The process that created it. */
  readonly creator: number;
  /** Bytes, as estimated from what it was asked for with. */
  readonly memory: number;
  readonly exclusive: boolean;
  /** A copy that nobody but a program may have. */
  readonly withheld?: boolean;
}

/** About how many bytes a program's facts take. */
export function bytesOf({ insns, raw_insns, evidence, maps }: ProgramSubject): number {
  const raw = raw_insns.buffer === insns.buffer ? 0 : raw_insns.byteLength;
  return 2048 + insns.byteLength + raw + 256 * (evidence.length + maps.length);
}

/** Of all containers, since `gate.existing: allow` lets any of them open objects that were not issued to it. */
const PRIVATE_COPIES = new Set<number>();

function addPrivateCopy(id: number): void {
  if (PRIVATE_COPIES.size >= REMEMBERED)
    for (const other of PRIVATE_COPIES) if (!mapExists(other)) PRIVATE_COPIES.delete(other);
  PRIVATE_COPIES.add(id);
}

/**
 * Objects remembered of each kind. A forgotten one is not found by its id any more, nor attached where policies are
 * asked about that; those that are gone are forgotten first.
 */
const REMEMBERED = 16_384;
/**
 * Bytes that the facts of remembered programs take, instructions for the most part: the oldest are forgotten beyond
 * that. Programs that are gone are looked for long before, each time that the bytes have doubled. Room is made for some
 * at once.
 */
const REMEMBERED_BYTES = 128 * 2 ** 20;
const BYTES_MADE = REMEMBERED_BYTES / 8;
const SWEEP_BYTES = 4 * 2 ** 20;
/** Objects that are remembered before it is looked which of them are gone. */
const SWEEP = 256;
/** Room for so many is made at once, since each id that is looked up takes a call. */
const ROOM_MADE = 1024;
