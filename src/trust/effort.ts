import { type Refusal, refuse } from "./refusal.js";

/** Units that one message may cost. */
export const MAX_EFFORT = 8_000;

/**
 * What the verification of one message may cost, over all its signers, certificates, time stamps and paths, in units of about a
 * microsecond. Units are counted by fixed weights, whether an answer is remembered or not, so that an outcome does not depend on the
 * machine, nor on what was verified before. A message chooses which keys are tried and how often; a key of the keyring is free the first
 * time, for a few hundred keys, since an honest message may have to be tried by each authority of one name.
 */
export class Effort {
  #left = MAX_EFFORT;
  readonly #tried = new Set<Verifier>();

  /** `own` are the keyring's keys. */
  constructor(private readonly own: ReadonlySet<Verifier> = NO_KEYS) {}

  /** Whether the message has cost more than it may: nothing more is looked into. */
  get spent(): boolean {
    return this.#left < 0;
  }

  /** Units that are left. */
  get left(): number {
    return this.#left;
  }

  owns(key: Verifier): boolean {
    return this.own.has(key);
  }

  /** Takes `units`; false where there are not so many left. */
  take(units: number): boolean {
    this.#left -= units;
    return this.#left >= 0;
  }

  /** Takes what one verification by a key costs, over so many bytes; the refusal where that is too much. */
  verification(key: Verifier, length: number): Refusal | null {
    const isOwn = this.own.has(key);
    if (isOwn && this.#tried.size < MAX_FREE && !this.#tried.has(key)) {
      this.#tried.add(key);
      return this.spent ? tooMuch() : null;
    }
    const hashing = Math.min(length / BYTES_A_UNIT, MAX_HASHING);
    return this.take(key.cost + hashing + (isOwn ? 0 : IMPORT)) ? null : tooMuch();
  }
}

/** A key, by what one verification with it costs. */
export interface Verifier {
  readonly cost: number;
}

/** What a message is refused with that costs more than it may. */
export function tooMuch(): Refusal {
  const reason = "the message takes too many steps: it has too many certificates, signers, names or slow keys";
  return refuse("EKEYREJECTED", "effort limit", reason);
}

/** Keys of the keyring that are free: more of one name than that are a mistake. */
const MAX_FREE = 256;
const NO_KEYS: ReadonlySet<Verifier> = new Set();
/** A key that a message carries is read by OpenSSL first. */
const IMPORT = 90;
/** What is signed is hashed, which takes time as well; one large program or list is no reason to refuse. */
const BYTES_A_UNIT = 500;
const MAX_HASHING = 3_000;

/** One step of a search that verifies nothing. */
export const STEP = 2;
/** Bytes of a message that are read in one unit, and bytes of its names that are compared in one. */
export const READ_BYTES = 150;
export const NAME_BYTES = 8;
