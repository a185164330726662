import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "./limits.js";
import type { Definition, Parcel } from "./parcel.js";
import type { Parcels } from "./parcels.js";
import { SUBJECT_CHARACTER, SUBJECT_FREE } from "./weights.js";

/** Where subjects are built. What is told under a number that was told before replaces it. */
export interface SubjectGuest {
  /** A script whose value puts a shape's builder where guest/subjects.ts keeps them. */
  shape(script: string): void;
  /** JSON of an array: a number, and the value that subjects share by it. */
  share(text: string): void;
  /** Builds a subject of a parcel's text, in the place of the one that has the slot. */
  put(slot: number, text: string): void;
  drop(slot: number): void;
}

interface Kept {
  readonly slot: number;
  readonly parcel: Parcel;
}

/**
 * The subjects that a runtime has built, each in a slot, known again by identity: only the engine makes one, and makes
 * the same one for the same bytes. A subject that recurs is kept until it is the least recently used. All others share
 * one slot: otherwise each would replace memory that was last used dozens of decisions ago and is in no cache any more.
 */
export class Subjects {
  readonly #parcels: Parcels;
  readonly #guest: SubjectGuest;
  /** Those that recur, the least recently used first. */
  readonly #kept = new Map<object, Kept>();
  readonly #free: number[] = [];
  /** Generations of the definitions that the guest was told, by number. */
  readonly #shapes: number[] = [];
  readonly #shared: number[] = [];
  #slots = 1;
  #size = 0;
  /** The last subject that does not recur yet, and the slot of all such. */
  #passing: object | null = null;
  #passingParcel: Parcel | null = null;
  #passingSlot = 0;
  #last: object | null = null;
  #lastSlot = 0;
  #lastParcel: Parcel | null = null;
  #lastWeight = 0;

  constructor(parcels: Parcels, guest: SubjectGuest) {
    this.#parcels = parcels;
    this.#guest = guest;
  }

  /** The slot of a subject, which is built in the guest if it is not known; -1 if that takes more than `most` units. */
  slotOf(subject: object, most: number): number {
    if (subject !== this.#last && !this.#recall(subject) && !this.#build(subject, most)) return -1;
    return this.#lastWeight > most ? -1 : this.#lastSlot;
  }

  /** Units of the subject of the last slot, charged whether it had to be built or not. */
  get weight(): number {
    return this.#lastWeight;
  }

  /** Bytes of the subject of the last slot, by the number that the guest has for them. */
  bytes(number: number): Uint8Array {
    const bytes = this.#lastParcel?.bytes[number];
    if (bytes === undefined) throw new TypeError(`the guest named the bytes ${number}`);
    return bytes;
  }

  /** Returns whether the subject is built already. */
  #recall(subject: object): boolean {
    const kept = subject === this.#passing ? this.#keepPassing() : this.#kept.get(subject);
    if (kept === undefined) return false;
    this.#kept.delete(subject);
    this.#kept.set(subject, kept);
    this.#use(subject, kept.slot, kept.parcel);
    return true;
  }

  /** The passing subject recurs: it keeps its slot, and the next one gets another. */
  #keepPassing(): Kept {
    const kept = { slot: this.#passingSlot, parcel: this.#passingParcel! };
    this.#passing = this.#passingParcel = null;
    this.#passingSlot = this.#slot();
    return kept;
  }

  /** Returns false if the subject takes more than `most` units. */
  #build(subject: object, most: number): boolean {
    const { parcel, recurs } = this.#parcels.of(subject);
    if (weightOf(parcel) > most) return false;
    this.#makeRoom(parcel.size);
    // whatever fails below, the slot's subject is no longer known
    this.#last = null;
    if (!recurs) this.#forgetPassing();
    const slot = recurs ? this.#slot() : this.#passingSlot;
    this.#tell(parcel);
    this.#guest.put(slot, parcel.text);
    if (recurs) this.#kept.set(subject, { slot, parcel });
    else [this.#passing, this.#passingParcel] = [subject, parcel];
    this.#size += parcel.size;
    this.#use(subject, slot, parcel);
    return true;
  }

  #use(subject: object, slot: number, parcel: Parcel): void {
    this.#last = subject;
    this.#lastSlot = slot;
    this.#lastParcel = parcel;
    this.#lastWeight = weightOf(parcel);
  }

  #tell({ shape, shared }: Parcel): void {
    if (isNew(shape, this.#shapes)) this.#guest.shape(shape.text);
    for (const value of shared) if (isNew(value, this.#shared)) this.#guest.share(value.text);
  }

  /** Drops subjects until there is room for so many characters. */
  #makeRoom(size: number): void {
    if (this.#size + size <= SUBJECT_TEXT_KEPT) return;
    if (this.#passing !== null) {
      this.#forgetPassing();
      this.#guest.drop(this.#passingSlot);
    }
    while (this.#size + size > SUBJECT_TEXT_KEPT && this.#kept.size > 0) {
      const slot = this.#forgetOldest();
      this.#guest.drop(slot);
      this.#free.push(slot);
    }
  }

  /** A slot for one more that recurs, which may be that of the oldest. */
  #slot(): number {
    return this.#free.pop() ?? (this.#slots < SUBJECTS_KEPT ? this.#slots++ : this.#forgetOldest());
  }

  #forgetPassing(): void {
    this.#size -= this.#passingParcel?.size ?? 0;
    this.#passing = this.#passingParcel = null;
  }

  /** Returns the slot of the least recently used, which the guest still has. */
  #forgetOldest(): number {
    const [subject, { slot, parcel }] = this.#kept.entries().next().value!;
    this.#kept.delete(subject);
    this.#size -= parcel.size;
    return slot;
  }
}

function weightOf({ characters }: Parcel): number {
  return SUBJECT_CHARACTER * Math.max(0, characters - SUBJECT_FREE);
}

/** Whether the guest was not told a definition yet. Records that it is told now. */
function isNew({ number, generation }: Definition, told: number[]): boolean {
  if (told[number] === generation) return false;
  told[number] = generation;
  return true;
}
