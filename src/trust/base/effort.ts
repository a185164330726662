import { elementsRead } from "../asn1/der-header.js";
import { hash } from "./digest.js";
import { type Refusal, refuse } from "./refusal.js";

/** The most units that one message may cost. */
export const MAX_EFFORT = 8_000;

/**
 * How much work of each kind one unit pays for. Every loop whose length a message chooses is charged as one of these,
 * where it runs. The figures were measured on x86-64 with node 20, and are those of the slowest input of their kind.
 */
export const PER_UNIT = {
  /** Bytes of DER, base64, JSON or SSH's encoding that are read. */
  bytes: 150,
  /** Signatures in a file of several. */
  parts: 0.5,
  /** Bytes of a Sigstore bundle, which libraries parse. */
  json: 25,
  /** Elements of DER. */
  elements: 20,
  /** Attributes of names that are prepared for comparison and printed, without their text. */
  attributes: 0.5,
  /** Characters of names that are prepared and printed: in values of printable ASCII, and in all others. */
  ascii: 50,
  unicode: 4,
  /** Pairs of a name and a name constraint or a scope of a CRL, and characters that are compared for one pair. */
  pairs: 4,
  matched: 100,
  /** Steps of a path search that verify no signature. */
  steps: 0.5,
  /** Certificates of a path to which the rules are applied, without CRLs and name constraints. */
  rules: 0.1,
  /** Nodes and edges of the policy graph that are visited. */
  policies: 5,
  /** CRLs that are asked about one distribution point. */
  lists: 0.5,
  /** Entries of logs and time stamps that Sigstore's library verifies. */
  entries: 0.002,
  /** Bytes that are hashed. */
  hashed: 500,
} as const;

export type Work = keyof typeof PER_UNIT;

/**
 * The cost of verifying one message, over all its signers, certificates, time stamps and paths, in units of about a
 * microsecond. Weights are fixed and cached answers cost the same, so that an outcome depends neither on the machine
 * nor on earlier verifications. A message controls which keys are tried and how often. The first use of a key of the
 * keyring is free, up to {@link MAX_FREE} keys, since a valid message may have to be tried with each authority of one
 * name.
 */
export class Effort {
  /**
   * In thousandths of a unit, so that sums are exact in any order. Verifications by the keyring's keys are
   * counted in `#ownUnits`, everything else in `#units`.
   */
  #units = 0;
  #ownUnits = 0;
  readonly #uses: Use[] = [];
  readonly #tried = new Set<Verifier>();
  readonly #digests = new Map<string, string>();

  /** `own` are the keyring's keys. */
  constructor(private readonly own: ReadonlySet<Verifier> = NO_KEYS) {}

  /** Whether the message has exceeded its limit; verification then stops. */
  get spent(): boolean {
    return this.#units + this.#ownUnits > MAX_EFFORT * THOUSAND;
  }

  /** Units used so far. */
  get units(): number {
    return (this.#units + this.#ownUnits) / THOUSAND;
  }

  owns(key: Verifier): boolean {
    return this.own.has(key);
  }

  /** Adds `units`; returns false if that exceeds the limit. */
  take(units: number): boolean {
    this.#units += Math.round(units * THOUSAND);
    return !this.spent;
  }

  /** Adds the cost of an amount of work; returns false if that exceeds the limit. */
  charge(work: Work, amount: number): boolean {
    return this.take(amount / PER_UNIT[work]);
  }

  /** Returns what `read` decodes from `length` bytes, and adds their cost and that of the elements that it reads. */
  decode<T>(length: number, read: () => T): T {
    const before = elementsRead;
    try {
      return read();
    } finally {
      this.charge("bytes", length);
      this.charge("elements", elementsRead - before);
    }
  }

  /**
   * Returns the certificate of `length` bytes that `read` gives, and adds its cost, which is the same if it was cached.
   * For a malformed one, adds the cost of what was read of it.
   */
  certificate<Read extends { readonly cost: number }>(length: number, read: () => Read): Read {
    const before = elementsRead;
    try {
      const certificate = read();
      this.take(certificate.cost);
      return certificate;
    } catch (error) {
      this.charge("bytes", length);
      this.charge("elements", elementsRead - before);
      throw error;
    }
  }

  /**
   * The digest of the content that a message signs, in lower-case hex. The first digest is free, so that a large
   * program is not rejected for its size alone; others cost what {@link verification} adds for the same bytes. `make`
   * computes a digest that is not one of DIGESTS.
   */
  contentDigest(digest: string, content: Uint8Array, make = hash): string {
    let known = this.#digests.get(digest);
    if (known === undefined) {
      if (this.#digests.size > 0) this.take(hashing(content.length));
      known = make(digest, content);
      this.#digests.set(digest, known);
    }
    return known;
  }

  /** Adds the cost of one verification by a key over `length` bytes; returns a refusal if that exceeds the limit. */
  verification(key: Verifier, length: number): Refusal | null {
    const units = Math.round((key.cost + hashing(length)) * THOUSAND);
    if (this.own.has(key)) this.#use({ key, units });
    else this.#units += units + IMPORT * THOUSAND;
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

/** A verification by a key of the keyring. `units` are thousandths. */
interface Use {
  readonly key: Verifier;
  readonly units: number;
}

interface Mark {
  readonly units: number;
  readonly uses: number;
}

/** The cost of one answer, in thousandths of a unit. */
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

/** Units for matching a text with another once, which prepares it if it is not ASCII. */
export function matchingCost(text: string): number {
  return text.length / (PLAIN.test(text) ? PER_UNIT.matched : PER_UNIT.unicode);
}

const PLAIN = /^[\x20-\x7e]*$/;

function hashing(length: number): number {
  return Math.min(length / PER_UNIT.hashed, MAX_HASHING);
}

const THOUSAND = 1_000;
/** Keys of the keyring whose first use is free. A keyring with more authorities of one name is a mistake. */
const MAX_FREE = 256;
const NO_KEYS: ReadonlySet<Verifier> = new Set();
/** Extra cost of a key that a message carries, since OpenSSL must parse it first. */
const IMPORT = 90;
/**
 * Hashing the signed data costs time too. The cap keeps a large program or list from being rejected for its size alone.
 */
const MAX_HASHING = 3_000;
