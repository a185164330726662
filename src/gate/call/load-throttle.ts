import { monotonic } from "../../monotonic.js";
import { nextObjectId } from "../../sys/bpf.js";
import type { IssuedObject } from "./issued-objects.js";
import { LivingPrograms } from "./living-programs.js";
import { ReleaseCounter, SLOT } from "./release-counter.js";

/** Maximum number of system calls by which the look of one slot checks old programs. */
const CALLS = 256;
/** Part of a container's releases that stays free for others, if several containers are served. */
const RESERVE = 1 / 4;
/** Part of the limit up to which young programs that exist count as if they were released: tasks may close them. */
const OPEN = 1 / 8;
/** Maximum number of slots after which a load that waits asks again. */
const LONGEST_PAUSE = 5;

/**
 * Has loads wait if the kernel releases too many of the programs that this gate loaded: more than `limit` in a second.
 *
 * **Why.** When the last reference to a program is closed, the kernel removes its id (bpf_prog_put_deferred of
 * kernel/bpf/syscall.c), and after a grace period of RCU queues a work item (bpf_prog_free and bpf_prog_free_deferred
 * of kernel/bpf/core.c) on the workqueue `events`, which takes `pack_mutex` to free the compiled code
 * (bpf_prog_pack_free). The workqueue runs WQ_DFL_ACTIVE items of a CPU at a time (linux/workqueue.h): 256 on Linux
 * 6.12, 1,024 on 6.18. If all of them wait for `pack_mutex`, and its holder, in bpf_prog_pack_alloc, waits for another
 * item of this queue (mm/vmalloc.c), none ends until the machine is started again. What the verifier rejects has no
 * compiled code, and does not count here.
 *
 * **What counts.** A program that the gate loaded for a task, once its id is gone, whether a task or the gate closed
 * it, such as after a denial at hook `bpf_prog`. It went between two looks, and counts in the slot in the middle. There
 * is a look with the first load of each slot, and before a load that would be one too many if all young programs were
 * gone. So most loads take no system call; see {@link LivingPrograms}.
 *
 * **Who waits.** Only a container (or command) with releases of its own. If several are served, it waits if there would
 * be no room even if no other had more releases than itself, with a reserve: a container that releases few programs
 * does not wait for one that releases many. One that closes many programs at once, which the gate cannot prevent, waits
 * until the time has passed that as many take at the limit.
 *
 * Tasks exceed the limit by as many programs as they hold open and then close, beyond an eighth of it. What does not
 * count: programs that a program loads (bpf_sys_bpf), those of other gates, and classic BPF. /proc/vmallocinfo is not
 * read for these: it has an area of `bpf_prog_alloc` for each program, for each of its functions and for each classic
 * filter, so that one that waits to be freed does not differ from one in use.
 */
export class LoadThrottle {
  readonly #programs: LivingPrograms;
  /** By container key. */
  readonly #containers = new Map<string, ReleaseCounter>();
  #slot = 0;

  /** `total` counts for the whole gate. `now` is in milliseconds, and the same for all threads of the process. */
  constructor(
    private readonly total: ReleaseCounter,
    public limit: number,
    next: (id: number) => number = (id) => nextObjectId("program", id),
    private readonly now: () => number = monotonic,
  ) {
    this.#programs = new LivingPrograms(next);
  }

  /** Counts the releases of a container, in memory that it keeps if another thread takes over. */
  serve(containerKey: string, memory: SharedArrayBuffer): void {
    if (this.#containers.has(containerKey)) return;
    this.#begin(Math.floor(this.now() / SLOT));
    const container = new ReleaseCounter(memory);
    this.#containers.set(containerKey, container);
    container.advance(this.#slot, this.limit);
    const { unseen } = container;
    container.unseen = 0;
    if (unseen > 0) this.#count(new Map([[containerKey, new Map([[this.#slot, unseen]])]]));
  }

  forget(containerKey: string): void {
    this.#containers.delete(containerKey);
  }

  /** A program was loaded for a task of a container. Has no effect if this was said before. */
  loaded(id: number, containerKey: string): void {
    if (!this.#programs.add(id, containerKey, this.#slot)) return;
    const container = this.#containers.get(containerKey);
    if (container !== undefined) container.unseen += 1;
  }

  /** Objects that another thread or an earlier gate issued still existed when this was sent. */
  inherit(issued: readonly (readonly [containerKey: string, object: IssuedObject])[]): void {
    for (const [containerKey, object] of issued) if ("subject" in object) this.loaded(object.id, containerKey);
  }

  /** Milliseconds after which a load may be asked about again; 0 if it may be made now. */
  pause(containerKey: string): number {
    const container = this.#containers.get(containerKey);
    if (container === undefined) return 0;
    const now = this.now();
    const slot = Math.floor(now / SLOT);
    this.#begin(slot);
    const { limit } = this;
    const most = Math.max(this.total.recent, container.due) + this.#programs.young;
    if (most * (1 + RESERVE) < limit) return 0;
    // a look only finds more releases, so it cannot let through a load for which there is no room already
    if (this.#hasRoom(container) && this.#programs.isLookDue) this.#look(0);
    if (this.#hasRoom(container)) return 0;
    const slots = Math.min(container.slotsToLess(limit), LONGEST_PAUSE);
    return Math.ceil((slot + slots) * SLOT - now);
  }

  /** Returns true the first time that a container's loads wait. */
  announce(containerKey: string): boolean {
    return this.#containers.get(containerKey)?.announce() === true;
  }

  #begin(slot: number): void {
    if (slot <= this.#slot) return;
    this.#slot = slot;
    this.total.advance(slot, this.limit);
    for (const container of this.#containers.values()) container.advance(slot, this.limit);
    this.#look(CALLS);
  }

  #hasRoom(container: ReleaseCounter): boolean {
    const { due } = container;
    if (due === 0) return true;
    let sum = this.#containers.size > 1 ? due * (1 + RESERVE) : due;
    sum += Math.min(this.#programs.young, Math.floor(this.limit * OPEN));
    for (const other of this.#containers.values()) if (other !== container) sum += Math.min(other.recent, due);
    return sum < this.limit;
  }

  /** Counts the programs that are gone. `calls`: see {@link LivingPrograms.look}. */
  #look(calls: number): void {
    const counts = new Map<string, Map<number, number>>();
    this.#programs.look(this.#slot, calls, (containerKey, seen) => {
      const at = Math.floor((seen + this.#slot) / 2);
      const own = counts.get(containerKey) ?? new Map<number, number>();
      counts.set(containerKey, own);
      own.set(at, (own.get(at) ?? 0) + 1);
    });
    for (const container of this.#containers.values()) container.unseen = 0;
    this.#count(counts);
  }

  /** Counts releases, by container key and slot. */
  #count(counts: ReadonlyMap<string, ReadonlyMap<number, number>>): void {
    for (const [containerKey, own] of counts) {
      this.total.add(own, this.limit);
      this.#containers.get(containerKey)?.add(own, this.limit);
    }
  }
}
