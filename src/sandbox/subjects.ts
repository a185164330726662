import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "./limits.js";
import { type Instructed, Packer } from "./parcel.js";
import { SUBJECT_CHARACTER, SUBJECT_FREE } from "./weights.js";

/** Where subjects are built. */
export interface SubjectGuest extends Instructed {
  /** Builds a subject of a parcel's text, in the place of the one that has the slot. */
  put(slot: number, text: string): void;
  drop(slot: number): void;
}

interface Kept {
  readonly slot: number;
  readonly size: number;
  readonly weight: number;
  readonly firstByte: number;
  readonly bytes: number;
  used: number;
}

/**
 * The subjects that a runtime has built, each in a slot, known again by identity: only the engine makes one, and makes the
 * same one for the same bytes. The one that was not asked about for longest makes room.
 */
export class Subjects {
  readonly #packer: Packer;
  readonly #guest: SubjectGuest;
  readonly #kept = new Map<object, Kept>();
  readonly #free: number[] = [];
  readonly #bytes = new Map<number, Uint8Array>();
  #slots = 0;
  #clock = 0;
  #nextByte = 0;
  #size = 0;
  #last: object | null = null;
  #lastSlot = 0;
  #lastWeight = 0;

  constructor(withheld: readonly string[], guest: SubjectGuest) {
    this.#packer = new Packer(withheld, guest);
    this.#guest = guest;
  }

  /** The slot of a subject, which is built in the guest if it is not known; -1 if that takes more than `most` units. */
  slotOf(subject: object, most: number): number {
    if (subject !== this.#last) {
      const kept = this.#kept.get(subject);
      const known = kept ?? this.#build(subject, most);
      if (known === null) return -1;
      if (kept !== undefined) kept.used = ++this.#clock;
      this.#last = subject;
      this.#lastSlot = known.slot;
      this.#lastWeight = known.weight;
    }
    return this.#lastWeight > most ? -1 : this.#lastSlot;
  }

  /** Units of the subject of the last slot, charged whether it had to be built or not. */
  get weight(): number {
    return this.#lastWeight;
  }

  /** Bytes by the number that the guest has for them. */
  bytes(number: number): Uint8Array {
    const bytes = this.#bytes.get(number);
    if (bytes === undefined) throw new TypeError(`the guest named the bytes ${number}`);
    return bytes;
  }

  #build(subject: object, most: number): Kept | null {
    const { text, bytes, size, characters } = this.#packer.pack(subject, this.#nextByte);
    const weight = SUBJECT_CHARACTER * Math.max(0, characters - SUBJECT_FREE);
    if (weight > most) return null;
    while (this.#size + size > SUBJECT_TEXT_KEPT && this.#kept.size > 0) {
      const dropped = this.#dropOldest();
      this.#guest.drop(dropped);
      this.#free.push(dropped);
    }
    const slot = this.#room();
    this.#guest.put(slot, text);
    const firstByte = this.#nextByte;
    for (const one of bytes) this.#bytes.set(this.#nextByte++, one);
    const kept = { slot, size, weight, firstByte, bytes: bytes.length, used: ++this.#clock };
    this.#kept.set(subject, kept);
    this.#size += size;
    return kept;
  }

  /** A slot for one more, which may be that of the oldest. */
  #room(): number {
    return this.#free.pop() ?? (this.#slots < SUBJECTS_KEPT ? this.#slots++ : this.#dropOldest());
  }

  /** The slot of the oldest, which the guest still has. */
  #dropOldest(): number {
    let oldest: readonly [object, Kept] | undefined;
    for (const entry of this.#kept) if (oldest === undefined || entry[1].used < oldest[1].used) oldest = entry;
    const [subject, { slot, size, firstByte, bytes }] = oldest!;
    for (let number = firstByte; number < firstByte + bytes; number++) this.#bytes.delete(number);
    this.#kept.delete(subject);
    this.#size -= size;
    if (this.#last === subject) this.#last = null;
    return slot;
  }
}
