export interface Bytes {
  readonly length: number;
}

class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: what is returned is what the private field is put on
    return object;
  }
}

/**
 * Bytes stay on the host. A policy holds a frozen `{ length }` that carries the host's number in a private field, which no
 * other code can read, write or give to an object of its own. A constructor that returns an object gives that one the
 * field, so that what the policy holds has no class to be found.
 */
class Numbered extends Itself {
  readonly #number: number;

  constructor(object: object, number: number) {
    super(object);
    this.#number = number;
  }

  static of(bytes: unknown): number {
    return typeof bytes === "object" && bytes !== null && #number in bytes ? bytes.#number : -1;
  }
}

export function standFor(number: number, length: number): Bytes {
  return Object.freeze(new Numbered({ length }, number)) as Bytes;
}

/** The host's number of some bytes; -1 for whatever else the policy gave. */
export const byteNumber = Numbered.of;

/** The same, but throws a TypeError for whatever else the policy gave. */
export function numberOf(bytes: unknown, who: string): number {
  const number = byteNumber(bytes);
  if (number === -1) throw new TypeError(`${who} is not bytes`);
  return number;
}
