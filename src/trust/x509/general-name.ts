import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { checkValue } from "../asn1/der-value.js";
import { oid, oidOf } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { matchingCost } from "../base/effort.js";
import { type Comparison, type Name, nameOf } from "./name.js";

/**
 * GeneralName (RFC 5280 4.2.1.6). `mailbox` is the otherName SmtpUTF8Mailbox (RFC 9598); `form` is the ASN.1 name of a
 * form without a kind of its own.
 */
export type GeneralName =
  | { readonly kind: "email" | "dns" | "uri"; readonly value: string }
  | { readonly kind: "directory"; readonly value: Name }
  | { readonly kind: "ip"; readonly value: Buffer }
  | { readonly kind: "mailbox"; readonly value: string; readonly form: string }
  | { readonly kind: "other"; readonly value: Element; readonly form: string };

/** Reads GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName, up to the cursor's end. Throws DER_MALFORMED. */
export function readGeneralNames(from: Cursor): readonly GeneralName[] {
  const names: GeneralName[] = [];
  if (from.done) throw malformed("an empty list of names", from.end);
  while (!from.done) names.push(readGeneralName(from.next()));
  return names;
}

/**
 * `addresses`: the lengths that an iPAddress may have; in name constraints it includes a mask. Throws DER_MALFORMED.
 */
export function readGeneralName(element: Element, addresses: readonly number[] = ADDRESSES): GeneralName {
  const kind = STRINGS[element.tag];
  if (kind !== undefined) return { kind, value: asciiOf(element) };
  if (element.tag === DIRECTORY) {
    return { kind: "directory", value: nameOf(element.only(TAG.sequence, "a directory name").check()) };
  }
  if (element.tag === ADDRESS) {
    if (!addresses.includes(element.length)) throw malformed(`an address of ${element.length} bytes`, element.start);
    return { kind: "ip", value: element.contents };
  }
  const read = OTHERS[element.tag];
  if (read === undefined) throw malformed("a general name of an unknown kind", element.start);
  return read(element.check());
}

/** Whether two names are equal. Names of kind `other` are compared by their bytes. */
export function compareGeneralNames(a: GeneralName, b: GeneralName): Comparison {
  if (a.kind === "directory") return b.kind === "directory" ? a.value.compare(b.value) : "no";
  if (a.kind === "ip") return b.kind === "ip" && a.value.equals(b.value) ? "yes" : "no";
  if (a.kind === "other") return b.kind === "other" && a.value.equals(b.value) ? "yes" : "no";
  return a.kind === b.kind && a.value === b.value ? "yes" : "no";
}

/** Units of `Effort` for matching a name with one other name, beside the pair itself. */
export function costOfMatching(name: GeneralName): number {
  switch (name.kind) {
    case "email":
    case "mailbox":
    case "dns":
    case "uri":
      return matchingCost(name.value);
    case "directory":
      return name.value.relative.length / RELATIVE_NAMES;
    default:
      return 0;
  }
}

/** Relative distinguished names that are compared, in their prepared form, by one unit. */
const RELATIVE_NAMES = 10;

const DIRECTORY = context(4, true);
const ADDRESS = context(7, false);

/** Lengths of IPv4 and IPv6 addresses. */
const ADDRESSES: readonly number[] = [4, 16];
/** Lengths of addresses with masks (RFC 5280 4.2.1.10). */
export const SUBNETS: readonly number[] = [8, 32];

const STRINGS: Readonly<Record<number, "email" | "dns" | "uri">> = {
  [context(1, false)]: "email",
  [context(2, false)]: "dns",
  [context(6, false)]: "uri",
};

/** Forms that are checked for well-formed DER and otherwise only compared by their bytes. */
const OTHERS: Readonly<Record<number, (element: Element) => GeneralName>> = {
  [context(0, true)]: readOtherName,
  [context(3, true)]: (value) => ({ kind: "other", value, form: "x400Address" }),
  [context(5, true)]: readPartyName,
  [context(8, false)]: readRegistered,
};

/** OtherName ::= SEQUENCE { type-id, value [0] EXPLICIT ANY }. */
function readOtherName(element: Element): GeneralName {
  const fields = element.open();
  const type = oidOf(fields.take(TAG.oid, "the type of another name"));
  const wrapped = fields.take(context(0, true), "the value of another name");
  fields.finish("another name");
  const value = wrapped.open();
  const inner = value.next();
  value.finish("the value of another name");
  if (type !== SMTP_UTF8_MAILBOX) return { kind: "other", value: element, form: "otherName" };
  if (inner.tag !== TAG.utf8String) throw malformed("a mailbox that is not a UTF8String", inner.start);
  return { kind: "mailbox", value: inner.contents.toString("utf8"), form: "otherName" };
}

/** EDIPartyName ::= SEQUENCE { nameAssigner [0] OPTIONAL, partyName [1] }, both DirectoryString. */
function readPartyName(value: Element): GeneralName {
  const fields = value.open();
  for (const part of [fields.optional(context(0, true)), fields.take(context(1, true), "a party's name")]) {
    if (part === null) continue;
    const inner = part.open();
    const text = inner.next();
    inner.finish("a part of an EDI party's name");
    if (!DIRECTORY_STRINGS.has(text.tag)) throw malformed("a party's name that is not a string", text.start);
  }
  fields.finish("an EDI party's name");
  return { kind: "other", value, form: "ediPartyName" };
}

const DIRECTORY_STRINGS: ReadonlySet<number> = new Set([
  TAG.utf8String,
  TAG.printableString,
  TAG.teletexString,
  TAG.universalString,
  TAG.bmpString,
]);

function readRegistered(value: Element): GeneralName {
  checkValue(value.as(TAG.oid));
  return { kind: "other", value, form: "registeredID" };
}

/** RFC 9598 3. */
const SMTP_UTF8_MAILBOX = oid("1.3.6.1.5.5.7.8.9");

/** Contents of an IA5String. NUL is rejected, since names are compared as text. */
function asciiOf(element: Element): string {
  for (const octet of element.contents)
    if (octet >= 0x80 || octet === 0) throw malformed("a character that is not ASCII", element.start);
  return element.bytes.toString("latin1", element.body, element.end);
}
