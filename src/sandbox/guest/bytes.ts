import { ANSWERS, FACT_READ, SUBJECT, VERIFY_SIGNATURE } from "../shared/buffer-layout.js";
import { answer, answers, MAX_ANSWERS } from "./answers.js";
import { OBJECT_FACTS } from "./facts.js";
import { callHost, hostNumber, integers } from "./host.js";
import { settings } from "./settings.js";
import { stringOf } from "./text.js";

const { defineProperty, freeze } = Object;
const ENODATA = 61;

const DETACHED = namesOf(settings.detached);
const KEYRINGS = namesOf(settings.keyrings);
/** The last names that were found; comparing with them is faster. The initial values equal no value of a policy. */
let knownKeyring: unknown = KEYRINGS;
let knownType: unknown = DETACHED;

export interface Bytes {
  readonly length: number;
}

class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the private field is added to the returned object
    return object;
  }
}

/**
 * Bytes stay on the host. A policy gets a frozen `{ length }` with the host's number for the bytes in a private field,
 * which no other code can read, write, or add to an object of its own. A constructor that returns an object adds the
 * field to that object, so the policy's object has no class from which the constructor could be reached.
 */
class Numbered extends Itself {
  readonly #number: number;

  constructor(object: object, number: number) {
    super(object);
    this.#number = number;
  }

  /** The host's number for some bytes. Throws a TypeError if the policy gave anything else. */
  static of(bytes: unknown, who: string): number {
    if (typeof bytes === "object" && bytes !== null && #number in bytes) return bytes.#number;
    throw new TypeError(`${who} is not bytes`);
  }

  /**
   * In nearly all decisions this only finds that there is no signature. The guest answers that case itself, within this
   * function, since calling another would take a tenth of a decision. Other cases, and unknown names, go to the host.
   */
  static verify_signature(data: unknown, signature: unknown, keyring: unknown, type: unknown): number {
    if (
      signature === null &&
      ((keyring === knownKeyring && type === knownType) || areKnown(keyring, type)) &&
      typeof data === "object" &&
      data !== null &&
      #number in data
    ) {
      // `answer`, inlined
      const kept = integers[ANSWERS]!;
      if (kept < 4 * MAX_ANSWERS) {
        answers[kept] = "verify_signature";
        answers[kept + 1] = keyring;
        answers[kept + 2] = type;
        answers[kept + 3] = -ENODATA;
      }
      integers[ANSWERS] = kept + 4;
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

/** An object that maps each name to itself. It has no prototype, so that no other names are found in it. */
function namesOf(names: readonly string[]): Record<string, string> {
  const byName: Record<string, string> = Object.create(null);
  for (const name of names) byName[name] = name;
  return byName;
}

function areKnown(keyring: unknown, type: unknown): boolean {
  if (settings.asksHost === true || typeof keyring !== "string" || typeof type !== "string") return false;
  const ring = KEYRINGS[keyring];
  const kind = DETACHED[type];
  if (ring === undefined || kind === undefined) return false;
  knownKeyring = ring;
  knownType = kind;
  return true;
}

/** Whether a keyring has this name. */
export function isKeyring(name: unknown): boolean {
  return typeof name === "string" && KEYRINGS[name] !== undefined;
}

/** The objects for the numbers below KEPT, which all subjects use, and the lengths of bytes by slot and number. */
const kept: Bytes[] = [];
const KEPT = 16;
const lengths: number[][] = [];

/** The object for some bytes of the subject in the slot that the shared buffer names. */
export function standFor(number: number, length: number): Bytes {
  const slot = integers[SUBJECT]!;
  lengths[slot] ??= [];
  lengths[slot][number] = length;
  const known = kept[number];
  if (known !== undefined) return known;
  const made = standIn(number);
  if (number < KEPT) kept[number] = made;
  return made;
}

/** The number of bytes. A policy sees one subject in a decision, so that it is that of this subject's bytes. */
export function lengthOf(number: number): number {
  return lengths[integers[SUBJECT]!]![number]!;
}

function standIn(number: number): Bytes {
  const recorded = () => {
    callHost(FACT_READ, "a fact", "bytes.length");
    return lengthOf(number);
  };
  const get = freeze(settings.recordsReads === true ? recorded : () => lengthOf(number));
  const object = defineProperty({ __proto__: OBJECT_FACTS }, "length", { get, enumerable: true });
  return freeze(new Numbered(object, number)) as unknown as Bytes;
}

export const { of: numberOf, verify_signature } = Numbered;
