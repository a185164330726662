import type { ProgramSubject } from "../../hooks/subject.js";
import { LruCache } from "../../lru-cache.js";
import { mapExists, programExists } from "../sys/bpf.js";

/**
 * The objects whose fds the gate issued to the tasks of one container or command. Unless `gate.existing` is `allow`,
 * these tasks cannot open any other object by its id. All listeners of a container share one instance: each process
 * that the runtime adds to the container has its own listener.
 */
export class IssuedObjects {
  /** Programs by the kernel's id, with the facts that were decided on; oldest first. */
  readonly #programs = new Map<number, ProgramSubject>();
  readonly #maps = new Map<number, MapEntry>();
  /** Repeatable denials to these tasks that were logged. */
  readonly #denied = new LruCache<string, true>(REMEMBERED);
  #mapMemory = 0;
  /** Size in bytes of the facts of all programs, and the size at which to sweep programs that no longer exist. */
  #bytes = 0;
  #sweepBytes = SWEEP_BYTES;
  #sweepAt = SWEEP;
  /** Iterator over map ids at which {@link hasRoom} resumes its search for maps that no longer exist. */
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

  /** All objects that still exist. Forgets the others. */
  get all(): readonly IssuedObject[] {
    this.#sweep();
    return [
      ...Array.from(this.#programs, ([id, subject]) => ({ id, subject })),
      ...Array.from(this.#maps, ([id, entry]) => ({ id, entry })),
    ];
  }

  /**
   * Forgets objects that no longer exist, each time that the number of entries has about doubled. For a thread that
   * only adds entries and never looks one up, so that nothing else limits their number.
   */
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
   * Whether a map was created here for only one program: the kernel lets no other program use it (excl_prog_hash, Linux
   * 6.18).
   */
  isExclusive(id: number): boolean {
    return this.#maps.get(id)?.exclusive ?? false;
  }

  /** Whether a map is a copy that the gate made for one program: no task of any container may open it. */
  isPrivateCopy(id: number): boolean {
    return PRIVATE_COPIES.has(id);
  }

  /**
   * Whether one more map of `bytes` bytes fits into the quota and into the table. The number is limited as well,
   * because a forgotten map would no longer count towards the quota. If it does not fit, forgets maps that no longer
   * exist; each call checks at most SWEEP maps, because other calls wait meanwhile.
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

  /** Makes room for a program of `bytes` bytes: forgets programs that no longer exist, and then the oldest ones. */
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
  /** Process id of the creator. */
  readonly creator: number;
  /** Size in bytes, estimated from the attr of BPF_MAP_CREATE. */
  readonly memory: number;
  readonly exclusive: boolean;
  /** True for a private copy, which the gate made for one program and no task may open. */
  readonly withheld?: boolean;
}

/** Estimates the size of a program's facts in bytes. */
export function bytesOf({ insns, raw_insns, evidence, maps }: ProgramSubject): number {
  const raw = raw_insns.buffer === insns.buffer ? 0 : raw_insns.byteLength;
  return 2048 + insns.byteLength + raw + 256 * (evidence.length + maps.length);
}

/**
 * Ids of the private copies of all containers: with `gate.existing: allow` a container may open objects that were not
 * issued to it, but not these.
 */
const PRIVATE_COPIES = new Set<number>();

function addPrivateCopy(id: number): void {
  if (PRIVATE_COPIES.size >= REMEMBERED)
    for (const other of PRIVATE_COPIES) if (!mapExists(other)) PRIVATE_COPIES.delete(other);
  PRIVATE_COPIES.add(id);
}

/**
 * Maximum number of entries of each kind. Objects that no longer exist are forgotten first. A forgotten object can no
 * longer be opened by its id, nor attached if an attachment serves hook `bpf`.
 */
const REMEMBERED = 16_384;
/**
 * Maximum size in bytes of the facts of all programs, mostly instructions. Beyond it the oldest programs are forgotten,
 * until BYTES_MADE bytes are free. Programs that no longer exist are swept long before that, each time that the size
 * has about doubled.
 */
const REMEMBERED_BYTES = 128 * 2 ** 20;
const BYTES_MADE = REMEMBERED_BYTES / 8;
const SWEEP_BYTES = 4 * 2 ** 20;
/** Number of entries below which nothing is swept, and the number of maps that one search checks. */
const SWEEP = 256;
/**
 * Number of entries that are freed at once: checking whether the programs still exist takes one system call for each.
 */
const ROOM_MADE = 1024;
