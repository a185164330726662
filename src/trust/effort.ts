import { type Refusal, refuse } from "./refusal.js";

/** Units that one message may cost. */
export const MAX_EFFORT = 8_000;

/**
 * What the verification of one message may cost, over all its signers, certificates, time stamps and paths, in units of
 * about a microsecond. Units are counted by fixed weights, whether an answer is remembered or not, so that an outcome
 * does not depend on the machine, nor on what was verified before. A message chooses which keys are tried and how
 * often; a key of the keyring is free the first time, for a few hundred keys, since an honest message may have to be
 * tried by each authority of one name.
 */
export class Effort {
  /** Units for everything but verifications by the keyring's keys, and units for those. */
  #units = 0;
  #ownUnits = 0;
  readonly #uses: Use[] = [];
  readonly #tried = new Set<Verifier>();

  /** `own` are the keyring's keys. */
  constructor(private readonly own: ReadonlySet<Verifier> = NO_KEYS) {}

  /** Whether the message has cost more than it may: nothing more is looked into. */
  get spent(): boolean {
    return this.#units + this.#ownUnits > MAX_EFFORT;
  }

  owns(key: Verifier): boolean {
    return this.own.has(key);
  }

  /** Takes `units`; false where there are not so many left. */
  take(units: number): boolean {
    this.#units += units;
    return !this.spent;
  }

  /** Takes what one verification by a key costs, over so many bytes; the refusal where that is too much. */
  verification(key: Verifier, length: number): Refusal | null {
    const units = key.cost + Math.min(length / BYTES_A_UNIT, MAX_HASHING);
    if (this.own.has(key)) this.#use({ key, units });
    else this.#units += units + IMPORT;
    return this.spent ? tooMuch() : null;
  }

  /** What has been taken so far. */
  get mark(): Mark {
    return { units: this.#units, uses: this.#uses.length };
  }

  since({ units, uses }: Mark): Spending {
    return { units: this.#units - units, uses: this.#uses.slice(uses) };
  }

  /** Takes again what was taken for an answer that is remembered. */
  repeat({ units, uses }: Spending): void {
    this.#units += units;
    for (const use of uses) this.#use(use);
  }

  #use(use: Use): void {
    this.#uses.push(use);
    if (this.#tried.size < MAX_FREE && !this.#tried.has(use.key)) this.#tried.add(use.key);
    else this.#ownUnits += use.units;
  }
}

/** A verification by a key of the keyring. */
interface Use {
  readonly key: Verifier;
  readonly units: number;
}

interface Mark {
  readonly units: number;
  readonly uses: number;
}

/** What one answer cost. */
export interface Spending {
  readonly units: number;
  readonly uses: readonly Use[];
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
