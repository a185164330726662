import type { Encoded } from "./der-header.js";

/**
 * Object identifiers. The code compares their contents octets as strings with one character per byte; messages and
 * configuration use the dotted form.
 */

/** Every identifier that {@link oid} made, keyed by {@link sumOf}. */
const named = new Map<number, string>();

/** Contents octets of a dotted identifier, one character per byte. */
export function oid(dotted: string): string {
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  const octets = String.fromCharCode(...[first * 40n + second, ...rest].flatMap(base128));
  named.set(sumOf(Buffer.from(octets, "latin1"), 0, octets.length), octets);
  return octets;
}

/** Contents octets of an OBJECT IDENTIFIER element, one character per byte. */
export function oidOf({ bytes, body, end }: Encoded): string {
  return octetsOf(bytes, body, end);
}

/**
 * The contents octets from `body` to `end`. For an identifier that {@link oid} made, this returns the existing string.
 */
export function octetsOf(bytes: Buffer, body: number, end: number): string {
  const known = named.get(sumOf(bytes, body, end));
  return known !== undefined && isAt(known, bytes, body, end) ? known : bytes.toString("latin1", body, end);
}

/** The dotted form, such as `2.5.29.15`, of contents octets. */
export function dotted(octets: string): string {
  const parts: bigint[] = [];
  let value = 0n;
  for (const character of octets) {
    const octet = character.charCodeAt(0);
    value = (value << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    if (parts.length === 0) {
      const first = value < 80n ? value / 40n : 2n;
      parts.push(first, value - first * 40n);
    } else parts.push(value);
    value = 0n;
  }
  return parts.join(".");
}

function sumOf(bytes: Buffer, body: number, end: number): number {
  let sum = 0;
  for (let index = body; index < end; index++) sum = (Math.imul(sum, 31) + (bytes[index] as number)) | 0;
  return sum;
}

function isAt(octets: string, bytes: Buffer, body: number, end: number): boolean {
  if (octets.length !== end - body) return false;
  for (let index = 0; index < octets.length; index++)
    if (octets.charCodeAt(index) !== bytes[body + index]) return false;
  return true;
}

function base128(value: bigint): number[] {
  const octets = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return octets;
}

/** Content types, attributes and other identifiers that CMS uses (RFC 5652, RFC 3161). */
export const CMS_OID = {
  data: oid("1.2.840.113549.1.7.1"),
  signedData: oid("1.2.840.113549.1.7.2"),
  contentType: oid("1.2.840.113549.1.9.3"),
  messageDigest: oid("1.2.840.113549.1.9.4"),
  signingTime: oid("1.2.840.113549.1.9.5"),
  /** RFC 2634 5.4, RFC 5035 3. */
  signingCertificate: oid("1.2.840.113549.1.9.16.2.12"),
  signingCertificateV2: oid("1.2.840.113549.1.9.16.2.47"),
  /** RFC 6211. */
  algorithmProtection: oid("1.2.840.113549.1.9.52"),
  timeStampToken: oid("1.2.840.113549.1.9.16.2.14"),
  timeStampInfo: oid("1.2.840.113549.1.9.16.1.4"),
} as const;

/** Extensions of certificates, CRLs and CRL entries (RFC 5280 4.2, 5.2, 5.3). */
export const EXTENSION = {
  subjectKeyIdentifier: oid("2.5.29.14"),
  keyUsage: oid("2.5.29.15"),
  subjectAltName: oid("2.5.29.17"),
  issuerAltName: oid("2.5.29.18"),
  basicConstraints: oid("2.5.29.19"),
  crlNumber: oid("2.5.29.20"),
  crlReason: oid("2.5.29.21"),
  invalidityDate: oid("2.5.29.24"),
  deltaCrlIndicator: oid("2.5.29.27"),
  issuingDistributionPoint: oid("2.5.29.28"),
  certificateIssuer: oid("2.5.29.29"),
  nameConstraints: oid("2.5.29.30"),
  crlDistributionPoints: oid("2.5.29.31"),
  certificatePolicies: oid("2.5.29.32"),
  policyMappings: oid("2.5.29.33"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  policyConstraints: oid("2.5.29.36"),
  extendedKeyUsage: oid("2.5.29.37"),
  freshestCrl: oid("2.5.29.46"),
  inhibitAnyPolicy: oid("2.5.29.54"),
  authorityInfoAccess: oid("1.3.6.1.5.5.7.1.1"),
  subjectInfoAccess: oid("1.3.6.1.5.5.7.1.11"),
} as const;

/** Extended key usages, keyed by the names that a keyring's `usage` takes (RFC 5280 4.2.1.12). */
export const KEY_PURPOSE: Readonly<Record<string, string>> = {
  serverAuth: oid("1.3.6.1.5.5.7.3.1"),
  clientAuth: oid("1.3.6.1.5.5.7.3.2"),
  codeSigning: oid("1.3.6.1.5.5.7.3.3"),
  emailProtection: oid("1.3.6.1.5.5.7.3.4"),
  timeStamping: oid("1.3.6.1.5.5.7.3.8"),
  OCSPSigning: oid("1.3.6.1.5.5.7.3.9"),
};

export const ANY_POLICY = oid("2.5.29.32.0");
export const ANY_EXTENDED_KEY_USAGE = oid("2.5.29.37.0");
