import { type Encoded, malformed } from "./der-header.js";
import { TAG } from "./tag.js";

/**
 * The time of a UTCTime or GeneralizedTime in milliseconds since the epoch; NaN if its form is not the one of X.690
 * 11.7 and 11.8: it has seconds, the zone is `Z`, a fraction (in GeneralizedTime only) has no trailing zeros, and the
 * day exists. A UTCTime's two-digit year means 1950–2049 (RFC 5280 4.1.2.5.1).
 */
export function readTime(bytes: Buffer, tag: number, body: number, end: number): number {
  const yearDigits = tag === TAG.utcTime ? 2 : 4;
  const length = end - body;
  const plain = yearDigits + 11;
  if (length < plain || (length > plain && yearDigits === 2) || bytes[end - 1] !== 0x5a) return Number.NaN;
  let year = digits(bytes, body, yearDigits);
  if (yearDigits === 2) year += year < 50 ? 2000 : 1900;
  const at = body + yearDigits;
  const month = digits(bytes, at, 2);
  const day = digits(bytes, at + 2, 2);
  const hour = digits(bytes, at + 4, 2);
  const minute = digits(bytes, at + 6, 2);
  const second = digits(bytes, at + 8, 2);
  const fraction = length === plain ? 0 : readFraction(bytes, at + 10, end - 1);
  if (!(month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  if (year < 100 || day > daysIn(year, month) || Number.isNaN(fraction)) return Number.NaN;
  return Date.UTC(year, month - 1, day, hour, minute, second) + fraction;
}

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (DAYS[month - 1] as number);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * A time in a certificate or CRL (RFC 5280 4.1.2.5, 5.1.2.4): UTCTime or GeneralizedTime, without fractions of a
 * second. Returns milliseconds since the epoch. Throws DER_MALFORMED.
 */
export function readMoment(element: Encoded): number {
  const { bytes, tag, body, end } = element;
  const moment = tag === TAG.utcTime || tag === TAG.generalizedTime ? readTime(bytes, tag, body, end) : Number.NaN;
  if (Number.isNaN(moment) || end - body > 15) throw malformed("a time of an unknown form", element.start);
  return moment;
}

function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = (bytes[index] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** A fraction such as `.5`, in milliseconds, rounded down. */
function readFraction(bytes: Buffer, start: number, end: number): number {
  const count = end - start - 1;
  if (bytes[start] !== 0x2e || count < 1 || count > 9 || bytes[end - 1] === 0x30) return Number.NaN;
  return Math.floor((digits(bytes, start + 1, count) / 10 ** count) * 1000);
}
