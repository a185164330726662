import { type Refusal, refuse } from "./refusal.js";

/** The most units that one message may cost. */
export const MAX_EFFORT = 8_000;

/**
 * The cost of verifying one message, over all its signers, certificates, time stamps and paths, in units of about a
 * microsecond. Weights are fixed and cached answers cost the same, so that an outcome depends neither on the machine
 * nor on earlier verifications. A message controls which keys are tried and how often. The first use of a key of the
 * keyring is free, up to {@link MAX_FREE} keys, since a valid message may have to be tried with each authority of one
 * name.
 */
export class Effort {
  /** Units for verifications by the keyring's keys are counted in `#ownUnits`, all others in `#units`. */
  #units = 0;
  #ownUnits = 0;
  readonly #uses: Use[] = [];
  readonly #tried = new Set<Verifier>();

  /** `own` are the keyring's keys. */
  constructor(private readonly own: ReadonlySet<Verifier> = NO_KEYS) {}

  /** Whether the message has exceeded its limit; verification then stops. */
  get spent(): boolean {
    return this.#units + this.#ownUnits > MAX_EFFORT;
  }

  owns(key: Verifier): boolean {
    return this.own.has(key);
  }

  /** Adds `units`; returns false if that exceeds the limit. */
  take(units: number): boolean {
    this.#units += units;
    return !this.spent;
  }

  /** Adds the cost of one verification by a key over `length` bytes; returns a refusal if that exceeds the limit. */
  verification(key: Verifier, length: number): Refusal | null {
    const units = key.cost + Math.min(length / BYTES_A_UNIT, MAX_HASHING);
    if (this.own.has(key)) this.#use({ key, units });
    else this.#units += units + IMPORT;
    return this.spent ? tooMuch() : null;
  }

  /** The amount used so far. */
  get mark(): Mark {
    return { units: this.#units, uses: this.#uses.length };
  }

  since({ units, uses }: Mark): Spending {
    return { units: this.#units - units, uses: this.#uses.slice(uses) };
  }

  /** Adds the cost of a cached answer again. */
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

/** The cost of one answer. */
export interface Spending {
  readonly units: number;
  readonly uses: readonly Use[];
}

/** A key, as far as its cost is concerned. */
export interface Verifier {
  readonly cost: number;
}

/** The refusal for a message that exceeds the limit. */
export function tooMuch(): Refusal {
  const reason = "the message takes too many steps: it has too many certificates, signers, names or slow keys";
  return refuse("EKEYREJECTED", "effort limit", reason);
}

/** Keys of the keyring whose first use is free. A keyring with more authorities of one name is a mistake. */
const MAX_FREE = 256;
const NO_KEYS: ReadonlySet<Verifier> = new Set();
/** Extra cost of a key that a message carries, since OpenSSL must parse it first. */
const IMPORT = 90;
/**
 * Hashing the signed data costs time too. The cap keeps a large program or list from being rejected for its size alone.
 */
const BYTES_A_UNIT = 500;
const MAX_HASHING = 3_000;

/** Cost of one step of a path search that verifies no signature. */
export const STEP = 2;
/** Bytes of a message that can be parsed per unit, and bytes of its names that can be compared per unit. */
export const READ_BYTES = 150;
export const NAME_BYTES = 8;
