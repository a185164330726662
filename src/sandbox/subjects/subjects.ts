import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "../shared/limits.js";
import type { Definition, EncodedSubject } from "./encoded-subject.js";
import type { EncodedSubjects } from "./encoded-subjects.js";
import { SUBJECT_CHARACTER, SUBJECT_FREE } from "./weights.js";

/** The guest's functions for subjects. A number or slot that is used again replaces its previous contents. */
export interface SubjectGuest {
  /** Runs a script that stores a shape's builder; see guest/subjects.ts. */
  shape(script: string): void;
  /** Stores a shared value, from JSON of an array with its number and the value. */
  share(text: string): void;
  /** Builds a subject from an encoded subject's text in a slot, replacing the subject in that slot. */
  put(slot: number, text: string): void;
  drop(slot: number): void;
}

interface Kept {
  readonly slot: number;
  readonly encoded: EncodedSubject;
}

/**
 * The subjects that a runtime has built, each in a slot. They are recognised by identity: the engine creates one object
 * for the same bytes. A subject that recurs is kept until it is the least recently used. All others share one slot;
 * otherwise each would overwrite memory that was used dozens of decisions ago and is no longer in a CPU cache.
 */
export class Subjects {
  readonly #encodedSubjects: EncodedSubjects;
  readonly #guest: SubjectGuest;
  /** Subjects that recur, least recently used first. */
  readonly #kept = new Map<object, Kept>();
  readonly #free: number[] = [];
  /** Generations of the definitions that the guest has, by number. */
  readonly #shapes: number[] = [];
  readonly #shared: number[] = [];
  #slots = 1;
  #size = 0;
  /** The last subject that has not recurred yet, and the slot that all such subjects share. */
  #passing: object | null = null;
  #passingEncoded: EncodedSubject | null = null;
  #passingSlot = 0;
  #last: object | null = null;
  #lastSlot = 0;
  #lastEncoded: EncodedSubject | null = null;
  #lastWeight = 0;

  constructor(encodedSubjects: EncodedSubjects, guest: SubjectGuest) {
    this.#encodedSubjects = encodedSubjects;
    this.#guest = guest;
  }

  /**
   * The slot of a subject, which is built in the guest if necessary; -1 if the subject takes more than `most` units.
   */
  slotOf(subject: object, most: number): number {
    if (subject !== this.#last && !this.#recall(subject) && !this.#build(subject, most)) return -1;
    return this.#lastWeight > most ? -1 : this.#lastSlot;
  }

  /** Units of the last subject. They are charged whether it was built or not. */
  get weight(): number {
    return this.#lastWeight;
  }

  /** Bytes of the last subject, by the number that the guest has for them. */
  bytes(number: number): Uint8Array {
    const bytes = this.#lastEncoded?.bytes[number];
    if (bytes === undefined) throw new TypeError(`the guest named bytes ${number}, which do not exist`);
    return bytes;
  }

  /** Whether the subject is built already; if it is, makes it the last one. */
  #recall(subject: object): boolean {
    const kept = subject === this.#passing ? this.#keepPassing() : this.#kept.get(subject);
    if (kept === undefined) return false;
    this.#kept.delete(subject);
    this.#kept.set(subject, kept);
    this.#use(subject, kept.slot, kept.encoded);
    return true;
  }

  /** Keeps the passing subject in its slot, since it recurs; the next passing one gets another slot. */
  #keepPassing(): Kept {
    const kept = { slot: this.#passingSlot, encoded: this.#passingEncoded! };
    this.#passing = this.#passingEncoded = null;
    this.#passingSlot = this.#slot();
    return kept;
  }

  /** Returns false if the subject takes more than `most` units. */
  #build(subject: object, most: number): boolean {
    const { encoded, recurs } = this.#encodedSubjects.of(subject);
    if (weightOf(encoded) > most) return false;
    this.#makeRoom(encoded.size);
    // If anything below fails, the slot's contents are unknown
    this.#last = null;
    if (!recurs) this.#forgetPassing();
    const slot = recurs ? this.#slot() : this.#passingSlot;
    this.#tell(encoded);
    this.#guest.put(slot, encoded.text);
    if (recurs) this.#kept.set(subject, { slot, encoded });
    else [this.#passing, this.#passingEncoded] = [subject, encoded];
    this.#size += encoded.size;
    this.#use(subject, slot, encoded);
    return true;
  }

  #use(subject: object, slot: number, encoded: EncodedSubject): void {
    this.#last = subject;
    this.#lastSlot = slot;
    this.#lastEncoded = encoded;
    this.#lastWeight = weightOf(encoded);
  }

  #tell({ shape, shared }: EncodedSubject): void {
    if (isNew(shape, this.#shapes)) this.#guest.shape(shape.text);
    for (const value of shared) if (isNew(value, this.#shared)) this.#guest.share(value.text);
  }

  /** Drops subjects until `size` characters fit. */
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

  /** A slot for another subject that recurs; may be that of the least recently used. */
  #slot(): number {
    return this.#free.pop() ?? (this.#slots < SUBJECTS_KEPT ? this.#slots++ : this.#forgetOldest());
  }

  #forgetPassing(): void {
    this.#size -= this.#passingEncoded?.size ?? 0;
    this.#passing = this.#passingEncoded = null;
  }

  /** Returns the slot of the least recently used subject, which the guest still has. */
  #forgetOldest(): number {
    const [subject, { slot, encoded }] = this.#kept.entries().next().value!;
    this.#kept.delete(subject);
    this.#size -= encoded.size;
    return slot;
  }
}

function weightOf({ characters }: EncodedSubject): number {
  return SUBJECT_CHARACTER * Math.max(0, characters - SUBJECT_FREE);
}

/** Whether the guest lacks a definition; if it does, records that it will now be sent. */
function isNew({ number, generation }: Definition, told: number[]): boolean {
  if (told[number] === generation) return false;
  told[number] = generation;
  return true;
}
