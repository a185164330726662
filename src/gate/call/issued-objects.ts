import type { ProgramSubject } from "../../bpf/model/facts.js";
import { type LiveMapDefinition, MAX_ROLES, type MapRole } from "../../bpf/recognition.js";
import { LruCache } from "../../lru-cache.js";
import { mapExists, nextObjectId, programExists } from "../../sys/bpf.js";

/**
 * The objects whose fds the gate issued to the tasks of one container or command. Unless `gate.existing` is `allow`,
 * these tasks cannot open any other object by its id. All listeners of a container share one instance: each process
 * that the runtime adds to the container has its own listener.
 */
export class IssuedObjects {
  /** Programs by the kernel's id, with the facts that were decided on and their size in bytes; oldest first. */
  readonly #programs = new Map<number, { readonly subject: ProgramSubject; readonly bytes: number }>();
  readonly #maps = new Map<number, MapEntry>();
  /** Roles of maps that were not issued here, such as pinned ones. */
  readonly #foreignRoles = new LruCache<number, readonly MapRole[]>(REMEMBERED);
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

  /** Adds an object whose fd was issued, or is a private copy. */
  issue(issued: IssuedObject): void {
    this.#remember(issued);
    this.tell(issued);
  }

  /** Adds an object that another thread or an earlier gate issued. */
  remember(issued: IssuedObject): void {
    if ("subject" in issued) Object.freeze(issued.subject);
    this.#remember(issued);
  }

  /** All objects that still exist. Forgets the others. */
  get all(): readonly IssuedObject[] {
    this.#sweep();
    return [
      ...Array.from(this.#programs, ([id, { subject }]) => ({ id, subject })),
      ...Array.from(this.#maps, ([id, entry]) => ({ id, entry })),
      ...Array.from(this.#foreignRoles.entries(), ([id, roles]) => ({ id, roles })),
    ];
  }

  /**
   * Forgets objects that no longer exist, each time that the number of entries has about doubled. For a thread that
   * only adds entries and never looks one up, so that nothing else limits their number.
   */
  tidy(): void {
    if (this.#size < this.#sweepAt) return;
    this.#sweep();
    this.#sweepAt = SWEEP + 2 * this.#size;
  }

  program(id: number): ProgramSubject | null {
    return this.#programs.get(id)?.subject ?? null;
  }

  /** What is known of a map that was issued here; undefined for any other map. */
  map(id: number): MapEntry | undefined {
    return this.#maps.get(id);
  }

  /** The least id above the given one of a program that was issued here and still exists; null for none. */
  nextProgram(id: number): number | null {
    return leastAbove(id, this.#programs.keys(), "program");
  }

  /** The least id above the given one of a map that was issued here and still exists; null for none. */
  nextMap(id: number): number | null {
    const issued = Array.from(this.#maps).flatMap(([own, { withheld }]) => (withheld ? [] : [own]));
    return leastAbove(id, issued, "map");
  }

  /** The maps of objects as which recognised programs use a map. */
  roles(id: number): readonly MapRole[] {
    return this.#maps.get(id)?.roles ?? this.#foreignRoles.get(id) ?? NO_ROLES;
  }

  /** Remembers that recognised programs use a map as this one. */
  addRole(id: number, role: MapRole): void {
    const known = this.roles(id);
    if (known.length >= MAX_ROLES || known.some(({ object, name }) => object === role.object && name === role.name))
      return;
    const entry = this.#maps.get(id);
    const roles = [...known, role];
    this.issue(entry === undefined ? { id, roles } : { id, entry: { ...entry, roles } });
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

  get #size(): number {
    return this.#programs.size + this.#maps.size + this.#foreignRoles.size;
  }

  #remember(issued: IssuedObject): void {
    if ("subject" in issued) this.#rememberProgram(issued.id, issued.subject);
    else if ("entry" in issued) this.#rememberMap(issued.id, issued.entry);
    else this.#foreignRoles.set(issued.id, issued.roles);
  }

  #rememberProgram(id: number, subject: ProgramSubject): void {
    this.#forgetProgram(id);
    const bytes = bytesOf(subject);
    if (this.#programs.size >= REMEMBERED || this.#bytes + bytes > this.#sweepBytes) this.#forgetPrograms(bytes);
    this.#programs.set(id, { subject, bytes });
    this.#bytes += bytes;
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
    for (const id of this.#programs.keys()) if (!programExists(id)) this.#forgetProgram(id);
  }

  #forgetProgram(id: number): void {
    const program = this.#programs.get(id);
    if (program === undefined) return;
    this.#bytes -= program.bytes;
    this.#programs.delete(id);
  }

  #sweep(): void {
    this.#sweepPrograms();
    for (const id of this.#maps.keys()) if (!mapExists(id)) this.#forgetMap(id);
    for (const [id] of [...this.#foreignRoles.entries()]) if (!mapExists(id)) this.#foreignRoles.delete(id);
  }

  #forgetMap(id: number): void {
    this.#mapMemory -= this.#maps.get(id)?.memory ?? 0;
    this.#maps.delete(id);
  }
}

/** The least of these ids that is above `id` and in use. The kernel names it as the one after its predecessor. */
function leastAbove(id: number, ids: Iterable<number>, kind: "program" | "map"): number | null {
  const later = Array.from(ids).filter((own) => own > id);
  return later.sort((one, other) => one - other).find((own) => nextObjectId(kind, own - 1) === own) ?? null;
}

/**
 * An object whose fd was issued: a program with its facts, or a map; or the roles of a map that was created elsewhere.
 * `missing` has the paths of facts that `subject`
 * lacks, because another version of Countersign recorded it. Reading such a fact is a fault of the policy.
 */
export type IssuedObject =
  | { readonly id: number; readonly subject: ProgramSubject; readonly missing?: readonly string[] }
  | { readonly id: number; readonly entry: MapEntry }
  | { readonly id: number; readonly roles: readonly MapRole[] };

export interface MapEntry {
  /** Process id of the creator. */
  readonly creator: number;
  /** The identity of the creator ({@link Task.process}); absent for a map that an earlier version created. */
  readonly process?: string;
  /** Size in bytes, estimated from the attr of BPF_MAP_CREATE. */
  readonly memory: number;
  readonly exclusive: boolean;
  /** True for a private copy, which the gate made for one program and no task may open. */
  readonly withheld?: boolean;
  /** What the kernel does not report of the map; absent for a map that an earlier version created. */
  readonly creation?: MapCreation;
  /** As which maps of which objects recognised programs use it; absent for none. */
  readonly roles?: readonly MapRole[];
}

/** Whether a process created the map: see {@link Task.process}. An unknown process created none. */
export function isCreator(process: string, entry: MapEntry | undefined): boolean {
  return process !== "" && entry?.process === process;
}

/** How a map was created, as far as the kernel does not report it. */
export interface MapCreation {
  readonly numaNode: number;
  /** The map that a map of maps holds; null for any other map. */
  readonly inner: LiveMapDefinition | null;
  /** The kernel's id of its BTF, which exists as long as the outer map; absent for none. */
  readonly innerBtfId?: number;
}

const NO_ROLES: readonly MapRole[] = Object.freeze([]);
/** The facts about a program that can be large. A program that another version recorded can lack evidence. */
type Sized = Pick<ProgramSubject, "insns" | "raw_insns" | "maps"> &
  Partial<Pick<ProgramSubject, "evidence" | "statements" | "mismatches">>;

/** Bytes of a small object with its texts, and of the rest of a program's facts. */
const SMALL_OBJECT = 256;
const OTHER_FACTS = 2048;

/** Estimates the size of a program's facts in bytes. */
export function bytesOf({ insns, raw_insns, maps, evidence = [], statements = [], mismatches = [] }: Sized): number {
  let bytes = OTHER_FACTS + insns.byteLength;
  if (raw_insns.buffer !== insns.buffer) bytes += raw_insns.byteLength;
  bytes += SMALL_OBJECT * (evidence.length + maps.length + statements.length + mismatches.length);
  for (const { settings } of statements)
    for (const { value, declared } of settings) bytes += SMALL_OBJECT + lengthOf(value) + lengthOf(declared);
  return bytes;
}

function lengthOf(value: number | string | null): number {
  return typeof value === "string" ? value.length : 0;
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
