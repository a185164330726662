import { Packer, type Parcel } from "./parcel.js";

/** A parcel, and whether its subject was asked about before, with another subject in between. */
export interface Asked {
  readonly parcel: Parcel;
  readonly recurs: boolean;
}

/**
 * Packs the subjects that the guests of one domain are asked about. A decision asks all guests about one subject, so the
 * last parcel is kept. Guests keep a subject that recurs longer than one that does not: see subjects.ts.
 */
export class Parcels {
  readonly #packer: Packer;
  readonly #seen = new WeakSet<object>();
  #subject: object | null = null;
  #asked: Asked | null = null;

  /** Fields `withheld` do not cross. */
  constructor(withheld: readonly string[]) {
    this.#packer = new Packer(withheld);
  }

  /** Throws Unfit: see {@link Packer.pack}. */
  of(subject: object): Asked {
    if (subject === this.#subject) return this.#asked!;
    const parcel = this.#packer.pack(subject);
    this.#asked = { parcel, recurs: this.#seen.has(subject) };
    this.#subject = subject;
    this.#seen.add(subject);
    return this.#asked;
  }
}
