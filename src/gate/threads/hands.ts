import type { Analysed } from "../load/analysis.js";
import type { Wardrobe } from "../sys/credentials.js";
import { close } from "../sys/pidfd.js";
import { type Analyse, type Errand, type Memory, memoryOf, type OutcomeOf, perform, waitOf } from "./errand.js";
import type { Brought, Visit } from "./visit.js";
import type { Watch } from "./watch.js";

/** Who runs errands for a call. */
export interface Hands {
  /** Errands that were run in this turn. */
  readonly count: number;
  /** Throws {@link Awaited} or {@link Superseded}, which end the call's turn: what holds fds lets go of them. */
  run<E extends Errand>(errand: E): OutcomeOf<E>;
  /** Throws {@link Awaited} where this call has not been admitted: see {@link Admissions}. */
  admit(): void;
  /** Whether an earlier turn had an analysis made by another thread. */
  hasAnalysed(index: number): boolean;
  /**
   * Analyses a load. Throws as {@link run}: what was found is not among what errands bring, since a turn may find that
   * it knows the load.
   */
  analyse(errand: Analyse): Analysed;
}

/** The decision thread itself, under the eyes of its watcher: the fast way. */
export class OwnHands implements Hands {
  readonly #errands: Errand[] = [];
  readonly #outcomes: unknown[] = [];

  get count(): number {
    return this.#errands.length;
  }

  /** What was brought in this turn: for another thread, if this one is taken off. */
  get brought(): Brought[] {
    return this.#errands.map((errand, index) => ({ outcome: this.#outcomes[index], memory: memoryOf(errand) }));
  }

  /** The turn is over. */
  forget(): void {
    this.#errands.length = 0;
    this.#outcomes.length = 0;
  }

  constructor(
    private readonly watch: Watch,
    private readonly wardrobe: Wardrobe,
  ) {}

  run<E extends Errand>(errand: E): OutcomeOf<E> {
    this.watch.block(waitOf(errand));
    const outcome = perform(errand, this.wardrobe);
    const stays = this.watch.unblock();
    this.#errands.push(errand);
    this.#outcomes.push(outcome);
    if (!stays) throw new Superseded();
    if (errand.do === "call" && (outcome as number) > 0) this.watch.made(outcome as number);
    return outcome;
  }

  admit(): void {
    throw new Awaited(null);
  }

  hasAnalysed(): boolean {
    return false;
  }

  analyse(errand: Analyse): Analysed {
    const { waited } = this.watch;
    this.watch.block(waitOf(errand));
    const analysed = perform(errand, this.wardrobe);
    if (!this.watch.unblock()) throw new Superseded();
    // the gate's own work makes no task suspect
    this.watch.waited = waited;
    this.watch.forgetWait();
    return analysed;
  }
}

/** A porter, for tasks whose like have kept the gate waiting before: what it has not brought yet ends the turn. */
export class PortersHands implements Hands {
  #next = 0;

  constructor(private readonly visit: Visit) {}

  get count(): number {
    return this.#next;
  }

  run<E extends Errand>(errand: E): OutcomeOf<E> {
    const brought = this.visit.brought[this.#next];
    if (brought === undefined) throw new Awaited(errand);
    this.#next += 1;
    for (const [index, memory] of memoryOf(errand).entries()) bytesOf(memory).set(bytesOf(brought.memory[index]!));
    return brought.outcome as OutcomeOf<E>;
  }

  admit(): void {
    if (!this.visit.admitted) throw new Awaited(null);
  }

  hasAnalysed(index: number): boolean {
    return this.visit.analyses.has(index);
  }

  analyse(errand: Analyse): Analysed {
    const analysed = this.visit.analyses.get(errand.index);
    if (analysed === undefined) throw new Awaited(errand);
    return analysed;
  }

  /** Closes what calls have brought and nobody asked for: the call ended before. */
  close(): void {
    for (const { outcome } of this.visit.brought.slice(this.#next)) discard(outcome);
  }
}

/** Lets go of what was taken and brought for a call that comes to nothing. */
export function abandon(visit: Visit): void {
  for (const fd of visit.fds.values()) close(fd);
  new PortersHands(visit).close();
}

function bytesOf({ buffer, byteOffset, byteLength }: Memory): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Lets go of what came of an errand. Of the calls that are made for tasks none gives a positive number that is no fd.
 */
export function discard(outcome: unknown): void {
  if (typeof outcome === "number" && outcome > 0) close(outcome);
}

/** The call goes on when the errand has been run, or where there is none, when the call is admitted. */
export class Awaited extends Error {
  /** The call's visit, where the turn that ends began without one. */
  visit: Visit | null = null;

  constructor(readonly errand: Errand | null) {
    super("awaits an errand");
  }
}

/** The thread has lost its listeners to another one, which goes on with the call; it ends. */
export class Superseded extends Error {
  constructor() {
    super("another thread has taken over");
  }
}
