import type { Element } from "../asn1/der.js";
import { TAG } from "../asn1/tag.js";

/**
 * The characters of an ASN.1 string (X.680 41); null for a value of any other type, and for octets whose meaning is
 * ambiguous.
 */
export function charactersOf(value: Element): string | null {
  return DECODERS[value.tag]?.(value.contents) ?? null;
}

type Decoder = (octets: Buffer) => string | null;

const latin: Decoder = (octets) => octets.toString("latin1");

const DECODERS: Readonly<Record<number, Decoder>> = {
  [TAG.utf8String]: (octets) => octets.toString("utf8"),
  [TAG.printableString]: latin,
  [TAG.ia5String]: latin,
  [TAG.visibleString]: latin,
  [TAG.numericString]: latin,
  [TAG.teletexString]: teletex,
  [TAG.bmpString]: basicPlane,
  [TAG.universalString]: universal,
};

/**
 * Some software writes T.61 here and most writes Latin-1 (RFC 5280 appendix B), so only characters that both share are
 * accepted.
 */
function teletex(octets: Buffer): string | null {
  const text = octets.toString("latin1");
  return /^[\x20-\x7e]*$/.test(text) ? text : null;
}

/** Two octets per character of the basic multilingual plane; surrogates are not characters. */
function basicPlane(octets: Buffer): string | null {
  if (octets.length % 2 !== 0) return null;
  const text = Buffer.from(octets).swap16().toString("utf16le");
  return /[\ud800-\udfff]/.test(text) ? null : text;
}

/** Four octets per character. */
function universal(octets: Buffer): string | null {
  if (octets.length % 4 !== 0) return null;
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    const point = octets.readUInt32BE(at);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}
