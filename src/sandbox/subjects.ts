import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "./limits.js";
import { type Instructed, Packer } from "./parcel.js";

/** Where subjects are built. */
export interface SubjectGuest extends Instructed {
  /** Builds a subject of a parcel's text, in the place of the one that has the slot. */
  put(slot: number, text: string): void;
  drop(slot: number): void;
}

interface Kept {
  readonly slot: number;
  readonly size: number;
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

  constructor(withheld: readonly string[], guest: SubjectGuest) {
    this.#packer = new Packer(withheld, guest);
    this.#guest = guest;
  }

  /** The slot of a subject, which is built in the guest if it is not known. */
  slotOf(subject: object): number {
    if (subject === this.#last) return this.#lastSlot;
    const kept = this.#kept.get(subject);
    let slot: number;
    if (kept === undefined) slot = this.#build(subject);
    else {
      slot = kept.slot;
      kept.used = ++this.#clock;
    }
    this.#last = subject;
    this.#lastSlot = slot;
    return slot;
  }

  /** Bytes by the number that the guest has for them. */
  bytes(number: number): Uint8Array {
    const bytes = this.#bytes.get(number);
    if (bytes === undefined) throw new TypeError(`the guest named the bytes ${number}`);
    return bytes;
  }

  #build(subject: object): number {
    const { text, bytes, size } = this.#packer.pack(subject, this.#nextByte);
    while (this.#size + size > SUBJECT_TEXT_KEPT && this.#kept.size > 0) {
      const dropped = this.#dropOldest();
      this.#guest.drop(dropped);
      this.#free.push(dropped);
    }
    const slot = this.#room();
    this.#guest.put(slot, text);
    const firstByte = this.#nextByte;
    for (const one of bytes) this.#bytes.set(this.#nextByte++, one);
    this.#kept.set(subject, { slot, size, firstByte, bytes: bytes.length, used: ++this.#clock });
    this.#size += size;
    return slot;
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
