import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "./limits.js";
import { pack } from "./parcel.js";

interface Kept {
  readonly subject: object;
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
  readonly #withheld: readonly string[];
  readonly #put: (text: string, slot: number) => void;
  readonly #drop: (slot: number) => void;
  readonly #kept: (Kept | undefined)[] = [];
  readonly #slots = new WeakMap<object, number>();
  readonly #bytes = new Map<number, Uint8Array>();
  #nextByte = 0;
  #clock = 0;
  #size = 0;
  #last: object | null = null;
  #lastSlot = 0;

  constructor(withheld: readonly string[], put: (text: string, slot: number) => void, drop: (slot: number) => void) {
    this.#withheld = withheld;
    this.#put = put;
    this.#drop = drop;
  }

  /** The slot of a subject, which is built in the guest if it is not known. */
  slotOf(subject: object): number {
    if (subject === this.#last) return this.#lastSlot;
    const known = this.#slots.get(subject);
    const kept = known === undefined ? undefined : this.#kept[known];
    if (kept?.subject === subject) kept.used = ++this.#clock;
    const slot = kept?.subject === subject ? known! : this.#build(subject);
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
    const { text, bytes } = pack(subject, this.#nextByte, this.#withheld);
    while (this.#size + text.length > SUBJECT_TEXT_KEPT && this.#dropOldest() !== null) {}
    const slot = this.#room();
    this.#put(text, slot);
    const firstByte = this.#nextByte;
    for (const one of bytes) this.#bytes.set(this.#nextByte++, one);
    this.#kept[slot] = { subject, size: text.length, firstByte, bytes: bytes.length, used: ++this.#clock };
    this.#slots.set(subject, slot);
    this.#size += text.length;
    return slot;
  }

  #room(): number {
    const free = this.#kept.indexOf(undefined);
    if (free !== -1) return free;
    return this.#kept.length < SUBJECTS_KEPT ? this.#kept.length : this.#dropOldest()!;
  }

  #dropOldest(): number | null {
    let oldest = -1;
    this.#kept.forEach((kept, slot) => {
      if (kept !== undefined && (oldest === -1 || kept.used < this.#kept[oldest]!.used)) oldest = slot;
    });
    const kept = this.#kept[oldest];
    if (kept === undefined) return null;
    for (let number = kept.firstByte; number < kept.firstByte + kept.bytes; number++) this.#bytes.delete(number);
    this.#drop(oldest);
    this.#kept[oldest] = undefined;
    this.#size -= kept.size;
    if (this.#last === kept.subject) this.#last = null;
    return oldest;
  }
}
