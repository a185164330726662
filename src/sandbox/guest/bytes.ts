import { ANSWERS, VERIFY_SIGNATURE } from "../slots.js";
import { answer, answers, MAX_ANSWERS } from "./answers.js";
import { OBJECT_FACTS } from "./facts.js";
import { box, callHost, hostNumber } from "./host.js";
import { settings } from "./settings.js";
import { stringOf } from "./text.js";

const ENODATA = 61;

const DETACHED = namesOf(settings.detached);
const KEYRINGS = namesOf(settings.keyrings);
/** The last names that were found there: comparing with them is faster. At first, values that no policy can have. */
let knownKeyring: unknown = KEYRINGS;
let knownType: unknown = DETACHED;

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

  /** The host's number of some bytes. Throws a TypeError for whatever else the policy gave. */
  static of(bytes: unknown, who: string): number {
    if (typeof bytes === "object" && bytes !== null && #number in bytes) return bytes.#number;
    throw new TypeError(`${who} is not bytes`);
  }

  /**
   * In nearly every decision this only finds that there is no signature. The guest answers that itself, in this
   * function: a call of another costs a tenth of a decision. The host rejects names that it does not know.
   */
  static verify_signature(data: unknown, signature: unknown, keyring: unknown, type: unknown): number {
    if (
      signature === null &&
      ((keyring === knownKeyring && type === knownType) || areKnown(keyring, type)) &&
      typeof data === "object" &&
      data !== null &&
      #number in data
    ) {
      // `answer`, written out
      const kept = box[ANSWERS]!;
      if (kept < 4 * MAX_ANSWERS) {
        answers[kept] = "verify_signature";
        answers[kept + 1] = keyring;
        answers[kept + 2] = type;
        answers[kept + 3] = -ENODATA;
      }
      box[ANSWERS] = kept + 4;
      return -ENODATA;
    }
    const ring = stringOf(keyring, "verify_signature: keyring");
    const kind = stringOf(type, "verify_signature: type");
    const bytes = numberOf(data, "verify_signature: data");
    const signed = signature === null ? -1 : numberOf(signature, "verify_signature: signature");
    callHost(VERIFY_SIGNATURE, "verify_signature", JSON.stringify([ring, kind]), bytes, signed);
    const verdict = hostNumber();
    answer("verify_signature", ring, kind, verdict);
    return verdict;
  }
}

/** Names by themselves. The object inherits nothing, so that it has no other names. */
function namesOf(names: readonly string[]): Record<string, string> {
  const byName: Record<string, string> = Object.create(null);
  for (const name of names) byName[name] = name;
  return byName;
}

function areKnown(keyring: unknown, type: unknown): boolean {
  if (typeof keyring !== "string" || typeof type !== "string") return false;
  const ring = KEYRINGS[keyring];
  const kind = DETACHED[type];
  if (ring === undefined || kind === undefined) return false;
  knownKeyring = ring;
  knownType = kind;
  return true;
}

export function standFor(number: number, length: number): Bytes {
  return Object.freeze(new Numbered({ __proto__: OBJECT_FACTS, length } as object, number)) as Bytes;
}

export const { of: numberOf, verify_signature } = Numbered;
