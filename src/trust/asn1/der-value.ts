import { countElements, type Encoded, malformed } from "./der-header.js";
import { TAG } from "./tag.js";
import { readTime } from "./time.js";

/**
 * Checks the contents of a primitive element of the universal class: DER allows one encoding of each value. Throws
 * DER_MALFORMED.
 */
export function checkValue({ bytes, tag, start, body, end }: Encoded): void {
  const wrong = wrongValue(bytes, tag, body, end);
  if (wrong !== null) throw malformed(wrong, start);
}

/**
 * Returns what is wrong with the contents of a primitive element of the universal class, or null if they are canonical.
 */
export function wrongValue(bytes: Buffer, tag: number, body: number, end: number): string | null {
  const check = CHECKS[tag];
  return check === undefined ? `universal tag ${tag}, which is not allowed here` : check(bytes, body, end, tag);
}

/** X.690 11.1. Throws DER_MALFORMED. */
export function readBoolean(element: Encoded): boolean {
  checkValue(element);
  return element.bytes[element.body] === 0xff;
}

/** An INTEGER or ENUMERATED from 0 to 2^31 - 1. Throws DER_MALFORMED. */
export function readSmallInteger(element: Encoded): number {
  checkValue(element);
  const first = element.bytes[element.body] as number;
  if (lengthOf(element) > 4 || first >= 0x80) throw malformed("an integer out of range", element.start);
  return element.bytes.readUIntBE(element.body, lengthOf(element));
}

/** An INTEGER that is not negative, of at most `limit` bytes. Throws DER_MALFORMED. */
export function readUnsigned(element: Encoded, limit: number): bigint {
  checkValue(element);
  if (lengthOf(element) > limit + 1) throw malformed(`an integer of ${lengthOf(element)} bytes`, element.start);
  if ((element.bytes[element.body] as number) >= 0x80) throw malformed("a negative integer", element.start);
  return BigInt(`0x${element.bytes.toString("hex", element.body, element.end)}`);
}

/** A BIT STRING without unused bits. Throws DER_MALFORMED. */
export function readOctets(element: Encoded): Buffer {
  checkValue(element);
  if (element.bytes[element.body] !== 0) throw malformed("a bit string that is not whole octets", element.start);
  return element.bytes.subarray(element.body + 1, element.end);
}

/**
 * A named bit list as a number whose lowest bit is bit 0 of the list. X.690 11.2.2: no trailing zero bits. `element`
 * may have a context tag; its contents must be those of a BIT STRING. Throws DER_MALFORMED.
 */
export function readNamedBits(element: Encoded): number {
  const wrong = bitString(element.bytes, element.body, element.end);
  if (wrong !== null) throw malformed(wrong, element.start);
  const unused = element.bytes[element.body] as number;
  const last = element.bytes[element.end - 1] as number;
  if (lengthOf(element) > 3) throw malformed("a list of more than 16 bits", element.start);
  if (lengthOf(element) > 1 && ((last >> unused) & 1) === 0)
    throw malformed("trailing zero bits in a list of bits", element.start);
  let bits = 0;
  for (let index = 0; index < (lengthOf(element) - 1) * 8; index++) {
    const octet = element.bytes[element.body + 1 + (index >> 3)] as number;
    if ((octet & (0x80 >> (index & 7))) !== 0) bits |= 1 << index;
  }
  return bits;
}

function lengthOf({ body, end }: Encoded): number {
  return end - body;
}

type Check = (bytes: Buffer, body: number, end: number, tag: number) => string | null;

const CHECKS: Readonly<Record<number, Check>> = {
  [TAG.boolean]: boolean,
  [TAG.integer]: integer,
  [TAG.enumerated]: integer,
  [TAG.bitString]: bitString,
  [TAG.octetString]: () => null,
  [TAG.null]: (_, body, end) => (body === end ? null : "a null with contents"),
  [TAG.oid]: objectIdentifier,
  [TAG.utf8String]: utf8,
  [TAG.numericString]: ascii,
  [TAG.printableString]: ascii,
  [TAG.teletexString]: () => null,
  [TAG.ia5String]: ascii,
  [TAG.visibleString]: ascii,
  [TAG.utcTime]: time,
  [TAG.generalizedTime]: time,
  [TAG.universalString]: (_, body, end) =>
    (end - body) % 4 === 0 ? null : "a universal string whose length is not a multiple of 4",
  [TAG.bmpString]: (_, body, end) =>
    (end - body) % 2 === 0 ? null : "a BMP string whose length is not a multiple of 2",
};

function boolean(bytes: Buffer, body: number, end: number): string | null {
  if (end - body !== 1) return "a boolean that is not one byte";
  return bytes[body] === 0 || bytes[body] === 0xff ? null : "a boolean that is neither 0x00 nor 0xff";
}

/** X.690 8.3.2: at least one octet, and the first nine bits are not all equal. */
function integer(bytes: Buffer, body: number, end: number): string | null {
  if (end === body) return "an integer without contents";
  if (end - body === 1) return null;
  const first = bytes[body] as number;
  const second = bytes[body + 1] as number;
  return (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80) ? "an integer that is not minimal" : null;
}

/** X.690 8.6.2 and 11.2.1: the number of unused bits is correct, and those bits are zero. */
function bitString(bytes: Buffer, body: number, end: number): string | null {
  if (end === body) return "a bit string without contents";
  const unused = bytes[body] as number;
  if (unused > 7 || (end - body === 1 && unused !== 0)) return "a bit string with a wrong number of unused bits";
  if (unused === 0) return null;
  return ((bytes[end - 1] as number) & ((1 << unused) - 1)) === 0 ? null : "unused bits that are not zero";
}

/**
 * The most octets of an object identifier. Registered ones have a few dozen at most; to write an identifier with dots
 * takes time that grows with the square of its length.
 */
const MAX_OID = 64;

/** X.690 8.19.2: each subidentifier is complete and has no leading zero. */
function objectIdentifier(bytes: Buffer, body: number, end: number): string | null {
  if (end === body) return "an object identifier without contents";
  if (end - body > MAX_OID) return `an object identifier of more than ${MAX_OID} octets`;
  let fresh = true;
  for (let position = body; position < end; position++) {
    const octet = bytes[position] as number;
    if (fresh && octet === 0x80) return "an object identifier with a padded part";
    fresh = octet < 0x80;
  }
  return fresh ? null : "an object identifier that is cut short";
}

function ascii(bytes: Buffer, body: number, end: number): string | null {
  for (let position = body; position < end; position++)
    if ((bytes[position] as number) >= 0x80) return "a character that is not ASCII";
  return null;
}

function utf8(bytes: Buffer, body: number, end: number): string | null {
  if (ascii(bytes, body, end) === null) return null;
  countElements(DECODED_TEXT);
  try {
    strict.decode(bytes.subarray(body, end));
    return null;
  } catch {
    return "text that is not UTF-8";
  }
}

function time(bytes: Buffer, body: number, end: number, tag: number): string | null {
  return Number.isNaN(readTime(bytes, tag, body, end)) ? "a time that is not in DER form" : null;
}

/** A call of a decoder takes as long as reading so many headers. */
const DECODED_TEXT = 4;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
