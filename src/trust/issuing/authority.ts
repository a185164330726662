import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { element, identifier, identifierOf, integer, octetString, sequence, setOf, time } from "../asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../asn1/oid.js";
import { writePem } from "../asn1/pem.js";
import { context, TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import { type Certificate, readCertificate } from "../x509/certificate.js";
import { publicPart } from "./private-key.js";
import { algorithmOf, type SigningIdentity, type SigningOptions } from "./sign-cms.js";

/** Kinds of keys that can be generated. */
export const KEY_KINDS = {
  "rsa-2048": () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  "rsa-4096": () => generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey,
  "p-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  "p-384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  "p-521": () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
  ed25519: () => generateKeyPairSync("ed25519").privateKey,
} as const satisfies Readonly<Record<string, () => KeyObject>>;

export type KeyKind = keyof typeof KEY_KINDS;

/** The contents of a certificate to issue. */
export interface CertificateRequest {
  /** A common name; or attributes in order, by their dotted identifiers; or a Name in DER. */
  readonly subject: string | Buffer | readonly (readonly [type: string, value: string])[];
  /** A kind of key to generate, or an existing key. */
  readonly key?: KeyKind | KeyObject;
  /** Milliseconds since the epoch. By default the validity starts an hour ago and lasts ten years. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly serial?: bigint;
  /** Whether it is an authority; a number is its path length constraint. */
  readonly authority?: boolean | number;
  /**
   * Key usage by bit numbers (RFC 5280 4.2.1.3). By default digitalSignature, or keyCertSign and cRLSign for an
   * authority. Null omits the extension.
   */
  readonly keyUsage?: readonly number[] | null;
  /** Extended key usages by name. By default codeSigning, or none for an authority. Null omits the extension. */
  readonly usage?: readonly string[] | null;
  /** Additional extensions in DER, after the default ones. */
  readonly extensions?: readonly Buffer[];
  /** Omits the default extensions. */
  readonly bare?: boolean;
  /** Contents octets of the identifiers of default extensions to omit. */
  readonly without?: readonly string[];
  /** The options with which the issuer signs it. */
  readonly signing?: SigningOptions;
}

/** A certificate and its key. */
export interface Issued extends SigningIdentity {
  readonly pem: { readonly certificate: string; readonly key: string };
}

/**
 * A certificate authority for demonstrations and tests. Its keys exist in memory only, unless the caller saves `pem`.
 */
export class Authority implements Issued {
  readonly key: KeyObject;
  readonly certificate: Certificate;
  readonly pem: Issued["pem"];

  constructor({ key, certificate, pem }: Issued) {
    this.key = key;
    this.certificate = certificate;
    this.pem = pem;
  }

  /** A self-signed root. */
  static create(request: CertificateRequest): Authority {
    return new Authority(issue({ authority: true, ...request }, null));
  }

  /** A certificate for code signing, unless the request says otherwise. */
  issue(request: CertificateRequest): Issued {
    return issue(request, this);
  }

  /** A certificate for a public key whose private key is elsewhere. `spki` is a SubjectPublicKeyInfo in DER. */
  certify(request: CertificateRequest, spki: Uint8Array): Buffer {
    return certificateFor(request, spki, this, this.key);
  }

  /** A subordinate authority. */
  subordinate(request: CertificateRequest): Authority {
    return new Authority(issue({ authority: true, ...request }, this));
  }

  /** A CRL (RFC 5280 5.1) of this authority, in DER. */
  revocationList(request: RevocationListRequest = {}): Buffer {
    const {
      entries = [],
      thisUpdate = Date.now() - HOUR,
      nextUpdate = Date.now() + 30 * 24 * HOUR,
      number = 1,
    } = request;
    const algorithm = algorithmOf(this.key, request.signing, "x509");
    const revoked = entries.map(({ serial, at = thisUpdate, extensions = [] }) =>
      sequence(integer(serial), time(at), ...(extensions.length === 0 ? [] : [sequence(...extensions)])),
    );
    const usual = [
      extension(
        EXTENSION.authorityKeyIdentifier,
        sequence(element(context(0, false), issuerIdentifier(this, publicPart(this.key)))),
      ),
      extension(EXTENSION.crlNumber, integer(number)),
    ];
    const extensions = [...(request.bare === true ? [] : usual), ...(request.extensions ?? [])];
    const tbs = sequence(
      integer(1),
      algorithm.identifier,
      request.issuer ?? this.certificate.subject.element.whole,
      time(thisUpdate),
      ...(nextUpdate === null ? [] : [time(nextUpdate)]),
      ...(revoked.length === 0 ? [] : [sequence(Buffer.concat(revoked))]),
      ...(extensions.length === 0 ? [] : [element(context(0, true), sequence(...extensions))]),
    );
    return sequence(tbs, algorithm.identifier, wholeBits(algorithm.sign(tbs)));
  }
}

export interface RevocationListRequest {
  readonly entries?: readonly {
    readonly serial: bigint;
    readonly at?: number;
    readonly extensions?: readonly Buffer[];
  }[];
  readonly thisUpdate?: number;
  /** Null omits nextUpdate. */
  readonly nextUpdate?: number | null;
  readonly number?: number;
  /** A Name in DER; by default the authority's own. */
  readonly issuer?: Buffer;
  /** Omits the default extensions. */
  readonly bare?: boolean;
  readonly extensions?: readonly Buffer[];
  readonly signing?: SigningOptions;
}

/** An Extension in DER. `type` is the contents octets of its identifier, `value` the DER of its value. */
export function extension(type: string, value: Uint8Array, critical = false): Buffer {
  const flag = critical ? [element(TAG.boolean, Buffer.of(0xff))] : [];
  return sequence(identifierOf(type), ...flag, octetString(value));
}

/** A Name in DER. */
export function distinguishedName(subject: CertificateRequest["subject"]): Buffer {
  if (Buffer.isBuffer(subject)) return subject;
  const attributes = typeof subject === "string" ? [["2.5.4.3", subject] as const] : subject;
  return sequence(
    ...attributes.map(([type, value]) =>
      setOf([sequence(identifier(type), element(TAG.utf8String, Buffer.from(value)))]),
    ),
  );
}

/** A named bit list (X.690 11.2.2): without trailing zero bits. */
export function namedBits(bits: readonly number[]): Buffer {
  const last = Math.max(-1, ...bits);
  const octets = Buffer.alloc(Math.ceil((last + 1) / 8));
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] as number) | (0x80 >> (bit & 7));
  return element(TAG.bitString, Buffer.of(last < 0 ? 0 : 7 - (last & 7)), octets);
}

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
/** Bit numbers of keyUsage (RFC 5280 4.2.1.3). */
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
const CRL_SIGN = 6;

function issue(request: CertificateRequest, issuer: Issued | null): Issued {
  const key = typeof request.key === "object" ? request.key : KEY_KINDS[request.key ?? "p-256"]();
  const certificate = readCertificate(certificateFor(request, publicPart(key), issuer, issuer?.key ?? key));
  return { key, certificate, pem: { certificate: writePem("CERTIFICATE", certificate.der), key: pemOf(key) } };
}

/** A certificate (RFC 5280 4.1) in DER. */
function certificateFor(
  request: CertificateRequest,
  spki: Uint8Array,
  issuer: Issued | null,
  signer: KeyObject,
): Buffer {
  const { authority = false, notBefore = Date.now() - HOUR, notAfter = Date.now() + 10 * YEAR } = request;
  const algorithm = algorithmOf(signer, request.signing, "x509");
  const subject = distinguishedName(request.subject);
  const tbs = sequence(
    element(context(0, true), integer(2)),
    integer(request.serial ?? BigInt(`0x4${randomBytes(15).toString("hex").slice(1)}`)),
    algorithm.identifier,
    issuer?.certificate.subject.element.whole ?? subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    spki,
    element(
      context(3, true),
      sequence(...extensionsOf(request, authority, keyIdentifier(spki), issuerIdentifier(issuer, spki))),
    ),
  );
  return sequence(tbs, algorithm.identifier, wholeBits(algorithm.sign(tbs)));
}

function extensionsOf(
  { keyUsage, usage, extensions = [], bare = false, without = [] }: CertificateRequest,
  authority: boolean | number,
  ownIdentifier: Buffer,
  issuerIdentifier: Buffer,
): readonly Buffer[] {
  const isAuthority = authority !== false;
  const constraints = isAuthority ? [element(TAG.boolean, Buffer.of(0xff))] : [];
  if (typeof authority === "number") constraints.push(integer(authority));
  const bits = keyUsage === undefined ? (isAuthority ? [KEY_CERT_SIGN, CRL_SIGN] : [DIGITAL_SIGNATURE]) : keyUsage;
  const purposes = usage === undefined ? (isAuthority ? null : ["codeSigning"]) : usage;
  const usual: readonly (readonly [type: string, value: Buffer, critical?: boolean])[] = [
    [EXTENSION.basicConstraints, sequence(...constraints), true],
    ...(bits === null ? [] : ([[EXTENSION.keyUsage, namedBits(bits), true]] as const)),
    ...(purposes === null
      ? []
      : ([[EXTENSION.extendedKeyUsage, sequence(...purposes.map(purposeIdentifier))]] as const)),
    [EXTENSION.subjectKeyIdentifier, octetString(ownIdentifier)],
    [EXTENSION.authorityKeyIdentifier, sequence(element(context(0, false), issuerIdentifier))],
  ];
  const kept = bare ? [] : usual.filter(([type]) => !without.includes(type));
  return [...kept.map((one) => extension(...one)), ...extensions];
}

/** RFC 5280 4.2.1.1: the subject key identifier of the issuer's certificate. */
function issuerIdentifier(issuer: Issued | null, spki: Uint8Array): Buffer {
  const known = issuer?.certificate.subjectKeyIdentifier ?? null;
  return known === null ? keyIdentifier(spki) : Buffer.from(known, "latin1");
}

function purposeIdentifier(name: string): Buffer {
  const known = KEY_PURPOSE[name];
  return known === undefined ? identifier(name) : identifierOf(known);
}

/** RFC 7093 2 (1): the leftmost 160 bits of a SHA-256, here of the whole SubjectPublicKeyInfo (4). */
function keyIdentifier(spki: Uint8Array): Buffer {
  return Buffer.from(hash("sha256", spki).slice(0, 40), "hex");
}

function wholeBits(bytes: Uint8Array): Buffer {
  return element(TAG.bitString, Buffer.of(0), bytes);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
