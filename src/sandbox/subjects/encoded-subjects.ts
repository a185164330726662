import { type EncodedSubject, SubjectEncoder } from "./encoded-subject.js";

/** An encoded subject, and whether its subject was sent before, with another subject in between. */
export interface Asked {
  readonly encoded: EncodedSubject;
  readonly recurs: boolean;
}

/**
 * Encodes the subjects for the guests of one domain. A decision sends the same subject to all guests, so the last
 * encoded one is cached. Guests keep a subject that recurs longer than others: see subjects.ts.
 */
export class EncodedSubjects {
  readonly #encoder: SubjectEncoder;
  readonly #seen = new WeakSet<object>();
  #subject: object | null = null;
  #asked: Asked | null = null;

  /** Fields in `withheld` are not sent. */
  constructor(withheld: readonly string[]) {
    this.#encoder = new SubjectEncoder(withheld);
  }

  /** Throws UnserializableError: see {@link SubjectEncoder.encode}. */
  of(subject: object): Asked {
    if (subject === this.#subject) return this.#asked!;
    const encoded = this.#encoder.encode(subject);
    this.#asked = { encoded, recurs: this.#seen.has(subject) };
    this.#subject = subject;
    this.#seen.add(subject);
    return this.#asked;
  }
}
