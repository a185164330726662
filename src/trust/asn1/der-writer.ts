import { oid } from "./oid.js";
import { TAG } from "./tag.js";

/** Writes DER (X.690 10 and 11). Each function returns the whole element. */

/** Any element, from its identifier octet and the parts of its contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...contents]);
}

export function sequence(...elements: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...elements);
}

/** A SET OF, or one with another tag. Sorts the elements as DER requires (X.690 11.6). */
export function setOf(elements: readonly Uint8Array[], tag: number = TAG.set): Buffer {
  return element(tag, ...elements.map((part) => Buffer.from(part)).sort(Buffer.compare));
}

/** An INTEGER that is not negative. */
export function integer(value: number | bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return element(TAG.integer, (bytes[0] as number) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(TAG.octetString, bytes);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function identifier(dotted: string): Buffer {
  return identifierOf(oid(dotted));
}

/** An OBJECT IDENTIFIER from its contents octets. */
export function identifierOf(octets: string): Buffer {
  return element(TAG.oid, Buffer.from(octets, "latin1"));
}

export const NULL: Buffer = element(TAG.null);

/** RFC 5280 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050. Fractions of a second are dropped. */
export function time(moment: number): Buffer {
  const digits = new Date(moment).toISOString().replace(/[-:T]|\.\d+/g, "");
  const short = digits < "2050";
  return element(short ? TAG.utcTime : TAG.generalizedTime, Buffer.from(short ? digits.slice(2) : digits, "latin1"));
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}
