import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { dotted, oid, oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";

/**
 * A distinguished name (RFC 5280 4.1.2.4), compared by the rules of RFC 5280 7.1: attributes in order; values of string types by their
 * characters, without regard to case, to spaces around them and to how many are between words; any other by its bytes.
 */
export class Name {
  #canonical: readonly string[] | null = null;
  #key: string | null = null;

  constructor(readonly element: Element) {}

  get empty(): boolean {
    return this.element.length === 0;
  }

  /** Equal for names that are the same, and for no others. Throws DER_MALFORMED. */
  get key(): string {
    this.#key ??= this.relative.map(counted).join("");
    return this.#key;
  }

  /** The canonical form of each relative distinguished name, the root's first. Throws DER_MALFORMED. */
  get relative(): readonly string[] {
    this.#canonical ??= this.#read().map(canonicalSet);
    return this.#canonical;
  }

  equals(other: Name): boolean {
    return this.element.equals(other.element) || this.key === other.key;
  }

  /** Whether this name lies at or below `ancestor` (RFC 5280 4.2.1.10, directoryName). */
  within(ancestor: Name): boolean {
    return (
      ancestor.relative.length <= this.relative.length &&
      ancestor.relative.every((part, index) => part === this.relative[index])
    );
  }

  /** Values of the emailAddress attribute, which name constraints cover as well (RFC 5280 4.2.1.10). */
  get emailAddresses(): readonly string[] {
    return this.#read()
      .flat()
      .filter((attribute) => attribute.type === EMAIL_ADDRESS)
      .map((attribute) => text(attribute.value) ?? "");
  }

  /** `C=US, O=Example, CN=Signer`, for a person. */
  toString(): string {
    const shown = this.#read().map((set) =>
      set
        .map(
          ({ type, value }) => `${LABELS.get(type) ?? dotted(type)}=${text(value) ?? value.contents.toString("hex")}`,
        )
        .join("+"),
    );
    return shown.length === 0 ? "(empty name)" : shown.join(", ");
  }

  #read(): Attribute[][] {
    const sets: Attribute[][] = [];
    const cursor = this.element.open();
    while (!cursor.done) {
      if (sets.length === MAX_PARTS) throw malformed(`a name of more than ${MAX_PARTS} parts`, this.element.start);
      sets.push(readSet(cursor.take(TAG.set, "a relative distinguished name")));
    }
    return sets;
  }
}

/** Reads a Name, which is checked all the way down where it is read. Throws DER_MALFORMED. */
export function readName(from: Cursor, what: string): Name {
  return new Name(from.take(TAG.sequence, what));
}

/** Names of people, machines and companies have ten at most. */
const MAX_PARTS = 128;

interface Attribute {
  readonly type: string;
  readonly value: Element;
}

function readSet(set: Element): Attribute[] {
  const attributes: Attribute[] = [];
  const cursor = set.open();
  while (!cursor.done) {
    const attribute = cursor.take(TAG.sequence, "an attribute of a name").open();
    const type = oidOf(attribute.take(TAG.oid, "the type of an attribute"));
    const value = attribute.next();
    attribute.finish("an attribute of a name");
    attributes.push({ type, value });
  }
  if (attributes.length === 0) throw malformed("an empty relative distinguished name", set.start);
  return attributes;
}

/** Attributes of one set in an order that does not depend on how their values are encoded. */
function canonicalSet(set: readonly Attribute[]): string {
  return set
    .map(({ type, value }) => {
      const characters = text(value);
      const canonical = characters === null ? `b${value.key}` : `t${fold(characters)}`;
      return counted(type) + counted(canonical);
    })
    .sort()
    .join("");
}

/** With its length before it, so that joined parts stay apart whatever is in them. */
function counted(part: string): string {
  return `${part.length}:${part}`;
}

/** RFC 4518 2 as RFC 5280 7.1 asks for it: compatibility forms, case and white space. */
function fold(characters: string): string {
  const plain = ASCII.test(characters) ? characters : characters.normalize("NFKC");
  return plain.toLowerCase().trim().replace(/\s+/g, " ");
}

/** The characters of a string type; null for any other type. */
export function text(value: Element): string | null {
  const encoding = ENCODINGS[value.tag];
  if (encoding === undefined) return null;
  if (encoding !== "utf16") return value.bytes.toString(encoding, value.body, value.end);
  return Buffer.from(value.contents).swap16().toString("utf16le");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;

const ENCODINGS: Readonly<Record<number, "utf8" | "latin1" | "utf16">> = {
  [TAG.utf8String]: "utf8",
  [TAG.printableString]: "latin1",
  [TAG.ia5String]: "latin1",
  [TAG.visibleString]: "latin1",
  [TAG.numericString]: "latin1",
  [TAG.bmpString]: "utf16",
};

const EMAIL_ADDRESS = oid("1.2.840.113549.1.9.1");

const LABELS: ReadonlyMap<string, string> = new Map([
  [oid("2.5.4.3"), "CN"],
  [oid("2.5.4.5"), "serialNumber"],
  [oid("2.5.4.6"), "C"],
  [oid("2.5.4.7"), "L"],
  [oid("2.5.4.8"), "ST"],
  [oid("2.5.4.10"), "O"],
  [oid("2.5.4.11"), "OU"],
  [oid("0.9.2342.19200300.100.1.25"), "DC"],
  [oid("0.9.2342.19200300.100.1.1"), "UID"],
  [EMAIL_ADDRESS, "emailAddress"],
]);
