import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { dotted, oid, oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { printable } from "../printable.js";
import { charactersOf } from "./directory-string.js";
import { prepare } from "./string-preparation.js";

/**
 * What comes of comparing two names. `unknown`: one of them has a value that cannot be compared, and nothing else tells
 * them apart.
 */
export type Comparison = "yes" | "no" | "unknown";

/**
 * A distinguished name (RFC 5280 4.1.2.4), compared by the rules of RFC 5280 7.1: attributes in order, values of string
 * types by what string preparation makes of them. A value of another type, or with a character that has no agreed
 * meaning, can be compared only with the very same bytes: {@link Name.compare} says `unknown` where that is what a
 * comparison hangs on.
 */
export class Name {
  #attributes: readonly (readonly Attribute[])[] | null = null;
  #relative: readonly RelativeName[] | null = null;
  #key: string | null = null;

  constructor(readonly element: Element) {}

  get empty(): boolean {
    return this.element.length === 0;
  }

  /** Equal for names that are surely the same, and for no others. Throws DER_MALFORMED. */
  get key(): string {
    this.#key ??= this.relative.map(({ key }) => counted(key)).join("");
    return this.#key;
  }

  /** The relative distinguished names, the root's first. Throws DER_MALFORMED. */
  get relative(): readonly RelativeName[] {
    this.#relative ??= this.attributes.map(relativeName);
    return this.#relative;
  }

  /** Attributes of each relative distinguished name, as they are encoded. Throws DER_MALFORMED. */
  get attributes(): readonly (readonly Attribute[])[] {
    this.#attributes ??= readSets(this.element);
    return this.#attributes;
  }

  /** Whether every value can be compared with any other. */
  get comparable(): boolean {
    return this.relative.every(({ comparable }) => comparable);
  }

  /** Whether two names are surely the same. */
  equals(other: Name): boolean {
    return this.element.equals(other.element) || this.key === other.key;
  }

  /** Whether two names are the same. */
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
   * Values of the emailAddress attribute, which name constraints cover as well (RFC 5280 4.2.1.10). Empty for one that
   * is no string.
   */
  get emailAddresses(): readonly string[] {
    return this.attributes
      .flat()
      .filter((attribute) => attribute.type === EMAIL_ADDRESS)
      .map((attribute) => charactersOf(attribute.value) ?? "");
  }

  /**
   * RFC 4514, the last attribute first: `CN=Signer,O=Example,C=US`. Nothing in a value can be taken for another
   * attribute.
   */
  toString(): string {
    if (this.empty) return "(empty name)";
    return this.attributes
      .map((set) => set.map(shownAttribute).join("+"))
      .reverse()
      .join(",");
  }
}

/** Reads a Name and its attributes. Throws DER_MALFORMED. */
export function readName(from: Cursor, what: string): Name {
  return nameOf(from.take(TAG.sequence, what));
}

/** The name that an element is. Throws DER_MALFORMED. */
export function nameOf(element: Element): Name {
  const name = new Name(element);
  name.attributes;
  return name;
}

/** Names of people, machines and companies have ten at most. */
const MAX_PARTS = 128;

interface Attribute {
  readonly type: string;
  readonly value: Element;
}

/** A relative distinguished name as it is compared. */
interface RelativeName {
  readonly key: string;
  /** The types of its attributes, in an order of their own. */
  readonly types: string;
  readonly comparable: boolean;
}

function readSets(name: Element): readonly (readonly Attribute[])[] {
  const sets: Attribute[][] = [];
  const cursor = name.open();
  while (!cursor.done) {
    if (sets.length === MAX_PARTS) throw malformed(`a name of more than ${MAX_PARTS} parts`, name.start);
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

/** Attributes of one set in an order that does not depend on how their values are encoded. */
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

/** With its length before it, so that joined parts stay apart whatever is in them. */
function counted(part: string): string {
  return `${part.length}:${part}`;
}

const EMAIL_ADDRESS = oid("1.2.840.113549.1.9.1");

/** Names of attribute types (RFC 4514 3, RFC 4519); any other type is written in dots. */
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

/** RFC 4514 2.3 and 2.4: a value that is no string, or of a type without a name, is the hex of its DER. */
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
