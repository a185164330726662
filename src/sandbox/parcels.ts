import { Packer, type Parcel } from "./parcel.js";

/** A parcel, and whether its subject was sent before, with another subject in between. */
export interface Asked {
  readonly parcel: Parcel;
  readonly recurs: boolean;
}

/**
 * Encodes the subjects for the guests of one domain. A decision sends the same subject to all guests, so the last
 * parcel is cached. Guests keep a subject that recurs longer than others: see subjects.ts.
 */
export class Parcels {
  readonly #packer: Packer;
  readonly #seen = new WeakSet<object>();
  #subject: object | null = null;
  #asked: Asked | null = null;

  /** Fields in `withheld` are not sent. */
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
