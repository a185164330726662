/**
 * Names in every encoding that ASN.1 has for their values, and what comes of comparing them (RFC 5280 7.1, RFC 4518).
 */
import { element, identifier, sequence, setOf } from "../../src/trust/asn1/der-writer.js";
import { context, TAG } from "../../src/trust/asn1/tag.js";
import type { Comparison } from "../../src/trust/x509/name.js";

export const ORGANIZATION = "2.5.4.10";
export const COMMON_NAME = "2.5.4.3";

/** A Name of one attribute for each value, which is DER. */
export function nameOfValues(...values: readonly (readonly [type: string, value: Buffer])[]): Buffer {
  return sequence(...values.map(([type, value]) => setOf([sequence(identifier(type), value)])));
}

export const utf8 = (text: string): Buffer => element(TAG.utf8String, Buffer.from(text));
const bmp = (text: string): Buffer => element(TAG.bmpString, Buffer.from(text, "utf16le").swap16());
const universal = (...points: readonly number[]): Buffer =>
  element(TAG.universalString, ...points.map((point) => Buffer.of(point >>> 24, point >> 16, point >> 8, point)));
const narrow =
  (tag: number) =>
  (text: string): Buffer =>
    element(tag, Buffer.from(text, "latin1"));

/** Every string type of ASN.1 that a name may have, and whether it takes more than ASCII. */
export const STRING_TYPES: Readonly<
  Record<string, { readonly wide: boolean; readonly write: (text: string) => Buffer }>
> = {
  UTF8String: { wide: true, write: utf8 },
  BMPString: { wide: true, write: bmp },
  UniversalString: {
    wide: true,
    write: (text) => universal(...Array.from(text, (one) => one.codePointAt(0) as number)),
  },
  PrintableString: { wide: false, write: narrow(TAG.printableString) },
  TeletexString: { wide: false, write: narrow(TAG.teletexString) },
  IA5String: { wide: false, write: narrow(TAG.ia5String) },
  VisibleString: { wide: false, write: narrow(TAG.visibleString) },
  NumericString: { wide: false, write: narrow(TAG.numericString) },
};

export interface Pair {
  readonly title: string;
  readonly a: Buffer;
  readonly b: Buffer;
  readonly same: Comparison;
}

/** Texts that are one and the same after preparation. */
const EQUAL: readonly (readonly [title: string, a: string, b: string])[] = [
  ["case", "Evil Corp", "eVIL cORP"],
  ["spaces", "Evil Corp", "  evil   corp "],
  ["a tab", "Evil Corp", "evil\tcorp"],
  ["a line feed", "Evil Corp", "evil\ncorp"],
  ["a next line", "Evil Corp", "evil\u0085corp"],
  ["a no-break space", "Evil Corp", "evil\u00a0corp"],
  ["an em space", "Evil Corp", "evil\u2003corp"],
  ["a line separator", "Evil Corp", "evil\u2028corp"],
  ["an ideographic space", "Evil Corp", "evil\u3000corp"],
  ...[
    0x00, 0x01, 0x08, 0x0e, 0x1b, 0x7f, 0x84, 0x9f, 0xad, 0x34f, 0x6dd, 0x70f, 0x1806, 0x180b, 0x180e, 0x200b, 0x200c,
    0x200d, 0x200e, 0x200f, 0x202a, 0x202e, 0x2060, 0x2063, 0x206a, 0x206f, 0xfe00, 0xfe0f, 0xfeff, 0xfff9, 0xfffb,
    0xfffc, 0x1d173, 0xe0001, 0xe0020, 0xe007f,
  ].map((point) => [hex(point), "Evil Corp", `Ev${String.fromCodePoint(point)}il Corp`] as const),
  ["full width letters", "Evil Corp", "\uff25\uff36\uff29\uff2c corp"],
  ["a ligature", "Office", "O\ufb03ce"],
  ["an accent by itself", "Caf\u00e9", "Cafe\u0301"],
  ["sharp s", "Stra\u00dfe", "STRASSE"],
  ["capital sharp s", "Stra\u1e9ee", "strasse"],
  ["final sigma", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"],
  ["sigma before a space", "\u039f\u0394\u039f\u03a3 x", "\u03bf\u03b4\u03bf\u03c3 X"],
  ["capital i with a dot", "\u0130", "i\u0307"],
  ["iota below", "\u1f80", "\u1f00\u03b9"],
  ["Cherokee", "\u13a0", "\uab70"],
  ["a letter beyond the basic plane", "\u{10400}", "\u{10428}"],
  ["an abbreviation", "\u2121", "tel"],
];

const DIFFERENT: readonly (readonly [title: string, a: string, b: string])[] = [
  ["another text", "Evil Corp", "Good Corp"],
  ["a space in a word", "Evil Corp", "Ev il Corp"],
  ["dotless i", "Ivan", "\u0131van"],
  ["an accent", "Cafe", "Caf\u00e9"],
  ["a Cyrillic letter of the same shape", "Evil Corp", "\u0415vil Corp"],
];

/** Values that can be compared with nothing but the same bytes. */
const UNCERTAIN: readonly (readonly [title: string, value: Buffer])[] = [
  ["TeletexString beyond ASCII", element(TAG.teletexString, Buffer.from("Ev\u00efl", "latin1"))],
  ["TeletexString with a control character", element(TAG.teletexString, Buffer.from("Ev\u001bil"))],
  ["BMPString with a surrogate", element(TAG.bmpString, Buffer.from("d83dde00", "hex"))],
  ["UniversalString with a surrogate", universal(0xd83d)],
  ["UniversalString beyond Unicode", universal(0x110000)],
  ...[0xe000, 0xf8ff, 0xfdd0, 0xffff, 0xfffd, 0x378, 0x61c, 0x600, 0x2064, 0x2066, 0x3164, 0xe0100, 0x10ffff].map(
    (point) => [hex(point), utf8(`Evil${String.fromCodePoint(point)} Corp`)] as const,
  ),
  ["OCTET STRING", element(TAG.octetString, Buffer.from("Evil Corp"))],
  ["INTEGER", element(TAG.integer, Buffer.of(1))],
  ["BOOLEAN", element(TAG.boolean, Buffer.of(0xff))],
  ["NULL", element(TAG.null)],
  ["BIT STRING", element(TAG.bitString, Buffer.of(0, 1))],
  ["SEQUENCE", sequence(utf8("Evil Corp"))],
  ["UTCTime", element(TAG.utcTime, Buffer.from("260101000000Z"))],
  ["a context tag", element(context(0, false), Buffer.from("Evil Corp"))],
];

/** Every string type by every other, each text that is the same and that is not, and values that cannot be compared. */
export const PAIRS: readonly Pair[] = [
  ...Object.entries(STRING_TYPES).flatMap(([from, { write: a }]) =>
    Object.entries(STRING_TYPES).flatMap(([to, { write: b }]): Pair[] => [
      { title: `${from} and ${to}, the same digits`, a: a("12 34"), b: b("12  34"), same: "yes" },
      { title: `${from} and ${to}, other digits`, a: a("12 34"), b: b("12 35"), same: "no" },
    ]),
  ),
  ...Object.entries(STRING_TYPES)
    .filter(([, { wide }]) => wide)
    .flatMap(([type, { write }]) => [
      ...EQUAL.filter(([, a, b]) => type !== "BMPString" || !/[\u{10000}-\u{10ffff}]/u.test(a + b)).map(
        ([title, a, b]): Pair => ({ title: `${type}: ${title}`, a: utf8(a), b: write(b), same: "yes" }),
      ),
      ...DIFFERENT.map(([title, a, b]): Pair => ({ title: `${type}: ${title}`, a: utf8(a), b: write(b), same: "no" })),
    ]),
  ...UNCERTAIN.map(([title, b]): Pair => ({ title, a: utf8("Evil Corp"), b, same: "unknown" })),
  ...UNCERTAIN.map(([title, value]): Pair => ({ title: `${title}, the same bytes`, a: value, b: value, same: "yes" })),
];

function hex(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}
