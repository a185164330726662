import { type Cursor, type Element, malformed } from "../asn1/der.js";
import { checkValue, readBoolean, readNamedBits, readSmallInteger } from "../asn1/der-value.js";
import { EXTENSION, oid, oidOf } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { type GeneralName, readGeneralName, readGeneralNames, SUBNETS } from "./general-name.js";

/**
 * Extensions of one certificate or CRL, keyed by the contents octets of their identifiers. Each occurs at most once
 * (RFC 5280 4.2).
 */
export type Extensions = ReadonlyMap<string, Extension>;

export interface Extension {
  readonly critical: boolean;
  /** The OCTET STRING that holds the extension's DER. */
  readonly value: Element;
}

/** Reads Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension. Throws DER_MALFORMED. */
export function readExtensions(sequence: Element): Extensions {
  const extensions = new Map<string, Extension>();
  const cursor = sequence.open();
  if (cursor.done) throw malformed("an empty list of extensions", sequence.start);
  while (!cursor.done) {
    const element = cursor.take(TAG.sequence, "an extension");
    const fields = element.open();
    const identifier = oidOf(fields.take(TAG.oid, "an extension's identifier").check());
    const critical = readDefaultFalse(fields, "critical");
    const value = fields.take(TAG.octetString, "an extension's value");
    fields.finish("an extension");
    if (extensions.has(identifier)) throw malformed("a duplicate extension", element.start);
    extensions.set(identifier, { critical, value });
  }
  return extensions;
}

/** X.690 11.5: a BOOLEAN DEFAULT FALSE is absent if it is false. */
export function readDefaultFalse(from: Cursor, what: string, tag: number = TAG.boolean): boolean {
  const element = from.optional(tag);
  if (element === null) return false;
  if (element.length !== 1 || element.bytes[element.body] !== 0xff)
    throw malformed(`\`${what}\` with an explicit FALSE, which DER omits`, element.start);
  if (tag === TAG.boolean) readBoolean(element);
  return true;
}

/** The single value of an extension, checked recursively. */
function contentsOf(extension: Extension, tag: number, what: string): Element {
  return extension.value.only(tag, what).check();
}

function listOf(extension: Extension, what: string): Cursor {
  const sequence = contentsOf(extension, TAG.sequence, what);
  if (sequence.length === 0) throw malformed(`an empty list of ${what}`, extension.value.start);
  return sequence.open();
}

/** RFC 5280 4.2.1.9. `pathLength` is null if there is no limit. */
export interface BasicConstraints {
  readonly authority: boolean;
  readonly pathLength: number | null;
}

export function readBasicConstraints(extension: Extension): BasicConstraints {
  const cursor = contentsOf(extension, TAG.sequence, "basic constraints").open();
  const authority = readDefaultFalse(cursor, "cA");
  const length = cursor.optional(TAG.integer);
  cursor.finish("basic constraints");
  return { authority, pathLength: length === null ? null : readSmallInteger(length) };
}

/** Bits of keyUsage (RFC 5280 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 1, nonRepudiation: 2, keyCertSign: 1 << 5, crlSign: 1 << 6 } as const;

export function readKeyUsage(extension: Extension): number {
  const bits = readNamedBits(contentsOf(extension, TAG.bitString, "key usage"));
  if (bits === 0) throw malformed("a key usage without a use", extension.value.start);
  return bits;
}

/** RFC 5280 4.2.1.12: contents octets of the purposes' identifiers. */
export function readExtendedKeyUsage(extension: Extension): ReadonlySet<string> {
  const purposes = new Set<string>();
  const cursor = listOf(extension, "extended key usage");
  while (!cursor.done) purposes.add(oidOf(cursor.take(TAG.oid, "a key purpose")));
  return purposes;
}

/** RFC 5280 4.2.1.2: the identifier's bytes, one character per byte. */
export function readSubjectKeyIdentifier(extension: Extension): string {
  return oidOf(contentsOf(extension, TAG.octetString, "a subject key identifier"));
}

/** RFC 5280 4.2.1.1: the key identifier's bytes, one character per byte; null if absent. */
export function readAuthorityKeyIdentifier(extension: Extension): string | null {
  const cursor = contentsOf(extension, TAG.sequence, "an authority key identifier").open();
  const identifier = cursor.optional(context(0, false));
  const issuer = cursor.optional(context(1, true));
  const serial = cursor.optional(context(2, false));
  cursor.finish("an authority key identifier");
  if ((issuer === null) !== (serial === null))
    throw malformed("an authority named by one of issuer and serial number", extension.value.start);
  if (issuer !== null) readGeneralNames(issuer.open());
  if (serial !== null) checkValue(serial.as(TAG.integer));
  return identifier === null ? null : oidOf(identifier);
}

/** RFC 5280 4.2.1.6. */
export function readAlternativeNames(extension: Extension): readonly GeneralName[] {
  return readGeneralNames(listOf(extension, "alternative names"));
}

/** The policies of a certificate (RFC 5280 4.2.1.4). */
export interface CertificatePolicies {
  /** Contents octets of their identifiers, in order, each once. */
  readonly policies: ReadonlySet<string>;
  /** Contents octets of the type of the first qualifier that is neither a URI nor a notice; null if there is none. */
  readonly unknownQualifier: string | null;
}

/** RFC 5280 4.2.1.4. Qualifiers are not used, but must be well-formed. */
export function readPolicies(extension: Extension): CertificatePolicies {
  const policies = new Set<string>();
  let unknownQualifier: string | null = null;
  const cursor = listOf(extension, "certificate policies");
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "policy information").open();
    const element = fields.take(TAG.oid, "a policy");
    const qualifiers = fields.optional(TAG.sequence);
    fields.finish("policy information");
    if (qualifiers !== null) unknownQualifier ??= checkQualifiers(qualifiers);
    const policy = oidOf(element);
    if (policies.has(policy)) throw malformed("a duplicate policy", element.start);
    policies.add(policy);
  }
  return { policies, unknownQualifier };
}

/** Returns the type of the first qualifier that is not known; null if all are. */
function checkQualifiers(qualifiers: Element): string | null {
  const cursor = qualifiers.open();
  if (cursor.done) throw malformed("an empty list of policy qualifiers", qualifiers.start);
  let unknown: string | null = null;
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "a policy qualifier").open();
    const type = oidOf(fields.take(TAG.oid, "the type of a policy qualifier"));
    const value = fields.next();
    fields.finish("a policy qualifier");
    if (type === POLICY_URI && value.tag !== TAG.ia5String)
      throw malformed("a policy's URI that is not an IA5String", value.start);
    if (type === USER_NOTICE) checkNotice(value);
    if (type !== POLICY_URI && type !== USER_NOTICE) unknown ??= type;
  }
  return unknown;
}

/** UserNotice ::= SEQUENCE { noticeRef NoticeReference OPTIONAL, explicitText DisplayText OPTIONAL }. */
function checkNotice(notice: Element): void {
  if (notice.tag !== TAG.sequence) throw malformed("a user notice expected", notice.start);
  const cursor = notice.open();
  const reference = cursor.optional(TAG.sequence);
  if (!cursor.done) checkText(cursor.next());
  cursor.finish("a user notice");
  if (reference === null) return;
  const fields = reference.open();
  checkText(fields.next());
  const numbers = fields.take(TAG.sequence, "the numbers of notices").open();
  fields.finish("a reference to notices");
  while (!numbers.done) numbers.take(TAG.integer, "the number of a notice");
}

function checkText(element: Element): void {
  if (!DISPLAY_TEXT.has(element.tag)) throw malformed("a text expected", element.start);
}

const POLICY_URI = oid("1.3.6.1.5.5.7.2.1");
const USER_NOTICE = oid("1.3.6.1.5.5.7.2.2");
const DISPLAY_TEXT: ReadonlySet<number> = new Set([TAG.utf8String, TAG.ia5String, TAG.visibleString, TAG.bmpString]);

/** RFC 5280 4.2.2: locations of information about an issuer or a subject. They are never accessed. */
export function readAccess(extension: Extension): readonly GeneralName[] {
  const places: GeneralName[] = [];
  const cursor = listOf(extension, "access descriptions");
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "an access description").open();
    fields.take(TAG.oid, "an access method");
    places.push(readGeneralName(fields.next()));
    fields.finish("an access description");
  }
  return places;
}

/** RFC 5280 4.2.1.5: pairs of an issuer's policy and the subject's policy that is equivalent to it. */
export function readPolicyMappings(extension: Extension): readonly (readonly [issuer: string, subject: string])[] {
  const mappings: [string, string][] = [];
  const cursor = listOf(extension, "policy mappings");
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "a policy mapping").open();
    mappings.push([oidOf(fields.take(TAG.oid, "a policy")), oidOf(fields.take(TAG.oid, "a policy"))]);
    fields.finish("a policy mapping");
  }
  return mappings;
}

/**
 * RFC 5280 4.2.1.11: the number of certificates after which each constraint applies; null if there is no constraint.
 */
export interface PolicyConstraints {
  readonly requireExplicit: number | null;
  readonly inhibitMapping: number | null;
}

export function readPolicyConstraints(extension: Extension): PolicyConstraints {
  const cursor = listOf(extension, "policy constraints");
  const requireExplicit = cursor.optional(context(0, false));
  const inhibitMapping = cursor.optional(context(1, false));
  cursor.finish("policy constraints");
  return { requireExplicit: skip(requireExplicit), inhibitMapping: skip(inhibitMapping) };
}

/** RFC 5280 4.2.1.14: the number of certificates after which anyPolicy is no longer accepted. */
export function readInhibitAnyPolicy(extension: Extension): number {
  return readSmallInteger(contentsOf(extension, TAG.integer, "inhibit anyPolicy"));
}

/** SkipCerts with an implicit tag: the contents are those of an INTEGER. */
function skip(element: Element | null): number | null {
  return element === null ? null : readSmallInteger(element.as(TAG.integer));
}

/** RFC 5280 4.2.1.10. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export function readNameConstraints(extension: Extension): NameConstraints {
  const cursor = listOf(extension, "name constraints");
  const permitted = cursor.optional(context(0, true));
  const excluded = cursor.optional(context(1, true));
  cursor.finish("name constraints");
  return { permitted: subtrees(permitted), excluded: subtrees(excluded) };
}

/** GeneralSubtree: RFC 5280 4.2.1.10 requires minimum 0, which DER omits, and no maximum. */
function subtrees(element: Element | null): readonly GeneralName[] {
  if (element === null) return [];
  const names: GeneralName[] = [];
  const cursor = element.open();
  if (cursor.done) throw malformed("an empty list of subtrees", element.start);
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "a subtree of names").open();
    names.push(readGeneralName(fields.next(), SUBNETS));
    fields.finish("a subtree of names");
  }
  return names;
}

/**
 * Extensions that are parsed and used in path validation. A certificate with any other critical extension is rejected.
 */
export const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.keyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.issuerAltName,
  EXTENSION.basicConstraints,
  EXTENSION.nameConstraints,
  EXTENSION.crlDistributionPoints,
  EXTENSION.certificatePolicies,
  EXTENSION.policyMappings,
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.policyConstraints,
  EXTENSION.extendedKeyUsage,
  EXTENSION.freshestCrl,
  EXTENSION.inhibitAnyPolicy,
]);
