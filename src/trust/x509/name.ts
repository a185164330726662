import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { dotted, oid, oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { PER_UNIT } from "../base/effort.js";
import { printable } from "../base/printable.js";
import { charactersOf } from "./directory-string.js";
import { prepare } from "./string-preparation.js";

/** The result of comparing two names. `unknown`: a value cannot be compared, and no other part differs. */
export type Comparison = "yes" | "no" | "unknown";

/**
 * A distinguished name (RFC 5280 4.1.2.4), compared by the rules of RFC 5280 7.1: attributes in order, string values in
 * their prepared form. A value of another type, or with a character of ambiguous meaning, equals only the same bytes;
 * if the result depends on such a value, {@link Name.compare} returns `unknown`.
 */
export class Name {
  #attributes: readonly (readonly Attribute[])[] | null = null;
  #relative: readonly RelativeName[] | null = null;
  #key: string | null = null;
  #text: string | null = null;
  #cost: number | null = null;

  constructor(readonly element: Element) {}

  get empty(): boolean {
    return this.element.length === 0;
  }

  /** Equal exactly for names that are certainly the same. Throws DER_MALFORMED. */
  get key(): string {
    this.#key ??= this.relative.map(({ key }) => counted(key)).join("");
    return this.#key;
  }

  /** The relative distinguished names, from the root. Throws DER_MALFORMED. */
  get relative(): readonly RelativeName[] {
    this.#relative ??= this.attributes.map(relativeName);
    return this.#relative;
  }

  /** Attributes of each relative distinguished name, as encoded. Throws DER_MALFORMED. */
  get attributes(): readonly (readonly Attribute[])[] {
    this.#attributes ??= readSets(this.element);
    return this.#attributes;
  }

  /** Whether every value has a prepared form. */
  get comparable(): boolean {
    return this.relative.every(({ comparable }) => comparable);
  }

  /** Whether two names are certainly the same. */
  equals(other: Name): boolean {
    return this.element.equals(other.element) || this.key === other.key;
  }

  /** Whether two names are the same, or `unknown`. */
  compare(other: Name): Comparison {
    if (this.element.equals(other.element)) return "yes";
    return this.relative.length === other.relative.length ? this.within(other) : "no";
  }

  /** Whether this name lies at or below `ancestor` (RFC 5280 4.2.1.10, directoryName). */
  within(ancestor: Name): Comparison {
    if (ancestor.relative.length > this.relative.length) return "no";
    const parts = ancestor.relative.map((part, index) => compareRelative(part, this.relative[index] as RelativeName));
    return parts.includes("no") ? "no" : parts.includes("unknown") ? "unknown" : "yes";
  }

  /**
   * Values of the emailAddress attribute, to which name constraints apply too (RFC 5280 4.2.1.10). An empty string
   * stands for a value that is not a string.
   */
  get emailAddresses(): readonly string[] {
    return this.attributes
      .flat()
      .filter((attribute) => attribute.type === EMAIL_ADDRESS)
      .map((attribute) => charactersOf(attribute.value) ?? "");
  }

  /**
   * RFC 4514, last attribute first, such as `CN=Signer,O=Example,C=US`. Values are escaped, so that none can look like
   * another attribute.
   */
  toString(): string {
    this.#text ??= this.empty
      ? "(empty name)"
      : this.attributes
          .map((set) => set.map(shownAttribute).join("+"))
          .reverse()
          .join(",");
    return this.#text;
  }

  /** Units of `Effort` for preparing the name for comparison and printing it, each of which is done once. */
  get cost(): number {
    this.#cost ??= this.attributes.flat().reduce((sum, attribute) => sum + attributeCost(attribute), 0);
    return this.#cost;
  }
}

/** Reads a Name and its attributes. Throws DER_MALFORMED. */
export function readName(from: Cursor, what: string): Name {
  return nameOf(from.take(TAG.sequence, what));
}

/** An element as a Name. Parses it to check it. Throws DER_MALFORMED. */
export function nameOf(element: Element): Name {
  const name = new Name(element);
  name.attributes;
  return name;
}

/** Real names have ten at most. */
export const MAX_PARTS = 128;

interface Attribute {
  readonly type: string;
  readonly value: Element;
}

function attributeCost({ value }: Attribute): number {
  const { length, contents } = value;
  const plain = contents.every((octet) => octet >= 0x20 && octet < 0x7f);
  return 1 / PER_UNIT.attributes + length / (plain ? PER_UNIT.ascii : PER_UNIT.unicode);
}

/** A relative distinguished name in its form for comparison. */
interface RelativeName {
  readonly key: string;
  /** The types of its attributes, sorted. */
  readonly types: string;
  readonly comparable: boolean;
}

function readSets(name: Element): readonly (readonly Attribute[])[] {
  const sets: Attribute[][] = [];
  const cursor = name.open();
  while (!cursor.done) {
    if (sets.length === MAX_PARTS)
      throw malformed(`a name of more than ${MAX_PARTS} parts`, name.start, "use a certificate with a shorter name");
    sets.push(readSet(cursor.take(TAG.set, "a relative distinguished name")));
  }
  return sets;
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

/** Sorts the attributes of a set, since their encoded order depends on how the values are encoded. */
function relativeName(set: readonly Attribute[]): RelativeName {
  let comparable = true;
  const values = set.map(({ type, value }) => {
    const characters = charactersOf(value);
    const prepared = characters === null ? null : prepare(characters);
    if (prepared === null) comparable = false;
    return counted(type) + counted(prepared === null ? `b${value.key}` : `t${prepared}`);
  });
  const types = set.map(({ type }) => counted(type));
  return { key: values.sort().join(""), types: types.sort().join(""), comparable };
}

function compareRelative(a: RelativeName, b: RelativeName): Comparison {
  if (a.key === b.key) return "yes";
  return (a.comparable && b.comparable) || a.types !== b.types ? "no" : "unknown";
}

/** Prefixes a part with its length, so that joined parts stay unambiguous. */
function counted(part: string): string {
  return `${part.length}:${part}`;
}

const EMAIL_ADDRESS = oid("1.2.840.113549.1.9.1");

/** Names of attribute types (RFC 4514 3, RFC 4519); other types are shown in dotted form. */
const LABELS: ReadonlyMap<string, string> = new Map([
  [oid("2.5.4.3"), "CN"],
  [oid("2.5.4.4"), "SN"],
  [oid("2.5.4.5"), "serialNumber"],
  [oid("2.5.4.6"), "C"],
  [oid("2.5.4.7"), "L"],
  [oid("2.5.4.8"), "ST"],
  [oid("2.5.4.9"), "STREET"],
  [oid("2.5.4.10"), "O"],
  [oid("2.5.4.11"), "OU"],
  [oid("2.5.4.12"), "title"],
  [oid("2.5.4.15"), "businessCategory"],
  [oid("2.5.4.17"), "postalCode"],
  [oid("2.5.4.42"), "givenName"],
  [oid("2.5.4.44"), "generationQualifier"],
  [oid("2.5.4.46"), "dnQualifier"],
  [oid("2.5.4.65"), "pseudonym"],
  [oid("2.5.4.97"), "organizationIdentifier"],
  [oid("0.9.2342.19200300.100.1.25"), "DC"],
  [oid("0.9.2342.19200300.100.1.1"), "UID"],
  [EMAIL_ADDRESS, "emailAddress"],
]);

/** RFC 4514 2.3 and 2.4: a value that is not a string, or whose type has no name, is shown as the hex of its DER. */
function shownAttribute({ type, value }: Attribute): string {
  const label = LABELS.get(type);
  const characters = label === undefined ? null : charactersOf(value);
  return `${label ?? dotted(type)}=${characters === null ? `#${value.whole.toString("hex")}` : escaped(characters)}`;
}

function escaped(characters: string): string {
  return printable(characters)
    .replace(/["+,;<>]/g, "\\$&")
    .replace(/^[ #]| $/g, "\\$&");
}
