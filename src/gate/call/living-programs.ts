/** A program that the gate loaded. Slots are those of {@link ReleaseCounter}. */
interface Program {
  readonly id: number;
  readonly containerKey: string;
  readonly loaded: number;
  /** The slot in which it was last known to exist. */
  seen: number;
}

/** Receives a program that no longer exists, with the slot in which it was last known to. */
export type Gone = (containerKey: string, seen: number) => void;

/** Maximum number of programs. Beyond it the oldest are forgotten, so that their release is not seen. */
const MOST = 65_536;
/** Maximum number of young programs, and the number of slots after which a program is old. */
const MOST_YOUNG = 256;
const YOUTH = 10;

/**
 * The programs that the gate loaded and that existed when it last looked. Most of those that are closed soon are young,
 * so each look checks all young programs, and old ones in turn.
 *
 * The kernel gives ids in ascending order, until they wrap at 2^31 (bpf_prog_alloc_id of kernel/bpf/syscall.c), and
 * BPF_PROG_GET_NEXT_ID skips ids that are not in use: a look takes one system call for each program that exists, and
 * few for those that do not. It takes no reference to a program, as BPF_PROG_GET_FD_BY_ID would, so it releases none.
 */
export class LivingPrograms {
  readonly #ids = new Set<number>();
  /** Those that were added since the last look. */
  #fresh: Program[] = [];
  #young: Program[] = [];
  /** The old ones: those to check in this round, from `#at` on, and those that were checked. */
  #old: Program[] = [];
  #at = 0;
  #checked: Program[] = [];

  /**
   * `next` is BPF_PROG_GET_NEXT_ID: the least id above the given one, or a negative errno. To a gate without
   * CAP_SYS_ADMIN the kernel tells no ids (bpf_obj_get_next_id of kernel/bpf/syscall.c): each program counts as gone.
   */
  constructor(private readonly next: (id: number) => number) {}

  /** How many young programs there may be at most. */
  get young(): number {
    return this.#young.length + this.#fresh.length;
  }

  /** Whether so many were added since the last look that the next one is worth its system calls. */
  get isLookDue(): boolean {
    return this.#fresh.length > this.#young.length / 4;
  }

  /** Adds a program. Returns false, without effect, for one that was added before. */
  add(id: number, containerKey: string, slot: number): boolean {
    if (this.#ids.has(id)) return false;
    if (this.#ids.size >= MOST) this.#forgetOldest();
    this.#ids.add(id);
    this.#fresh.push({ id, containerKey, loaded: slot, seen: slot });
    return true;
  }

  /** Checks all young programs, and old ones with at most `calls` system calls; forgets those that are gone. */
  look(slot: number, calls: number, gone: Gone): void {
    const walk = new Walk(this.next);
    const lives = (program: Program) => {
      if (walk.finds(program.id)) {
        program.seen = slot;
        return true;
      }
      this.#ids.delete(program.id);
      gone(program.containerKey, program.seen);
      return false;
    };
    for (let unchecked = this.#old.length - this.#at + this.#checked.length; unchecked > 0; unchecked -= 1) {
      if (this.#at === this.#old.length) this.#beginRound();
      const program = this.#old[this.#at]!;
      if (walk.calls >= calls && !walk.knows(program.id)) break;
      this.#at += 1;
      if (lives(program)) this.#checked.push(program);
    }
    const young = [...this.#young, ...this.#fresh].filter(lives);
    const oldest = young.findIndex(({ loaded }, index) => index >= young.length - MOST_YOUNG && loaded > slot - YOUTH);
    this.#old.push(...young.splice(0, oldest < 0 ? young.length : oldest));
    this.#young = young;
    this.#fresh = [];
  }

  #beginRound(): void {
    this.#old = this.#checked;
    this.#checked = [];
    this.#at = 0;
  }

  #forgetOldest(): void {
    if (this.#at === this.#old.length) this.#beginRound();
    const oldest = this.#old[this.#at];
    if (oldest === undefined) return;
    this.#at += 1;
    this.#ids.delete(oldest.id);
  }
}

/** Asks for the ids in use. The ids between the last one that it asked about and the one that it got are not in use. */
class Walk {
  calls = 0;
  #asked = 0;
  #found = 0;

  constructor(private readonly next: (id: number) => number) {}

  /** Whether {@link finds} answers without a system call. */
  knows(id: number): boolean {
    return id >= this.#asked && id <= this.#found;
  }

  finds(id: number): boolean {
    if (!this.knows(id)) {
      const next = this.next(id - 1);
      this.calls += 1;
      this.#asked = id;
      this.#found = next < 0 ? Number.POSITIVE_INFINITY : next;
    }
    return id === this.#found;
  }
}
