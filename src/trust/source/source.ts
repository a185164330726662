import { CountersignError } from "../../error.js";
import { readDer } from "../asn1/der.js";
import { isPem, readPem } from "../asn1/pem.js";
import { context, TAG } from "../asn1/tag.js";
import type { FileKey, KeyFile } from "../formats/format.js";
import { KEY_FILES } from "../formats/formats.js";
import { type PublicKey, readPublicKey } from "../key/key.js";
import type { SourceFile } from "../model/keyring-rules.js";
import { type Certificate, readCertificate } from "../x509/certificate.js";
import { type Crl, readCrl } from "../x509/crl.js";
import { Name } from "../x509/name.js";

/** The contents of a keyring's files. */
export interface Material {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly PublicKey[];
  readonly crls: readonly Crl[];
  /** Keys in files of one signature format: see {@link keysOf}. */
  readonly formatKeys: readonly FormatKey[];
  /** Anchors that could not be parsed and are not used. Only a file with several certificates may have such. */
  readonly rejected: readonly RejectedCertificate[];
}

interface FormatKey {
  readonly file: KeyFile;
  readonly key: FileKey;
}

/** The keys in files of one format. */
export function keysOf<Key extends FileKey>(
  { formatKeys }: Pick<Material, "formatKeys">,
  wanted: KeyFile<Key>,
): readonly Key[] {
  return formatKeys.filter(({ file }) => file === wanted).map(({ key }) => key as Key);
}

/** A certificate that could not be parsed, and why. */
export interface RejectedCertificate {
  /** Its file, its number in the file, and its subject if that can be parsed. */
  readonly name: string;
  readonly error: CountersignError;
}

/**
 * What files are for, which determines the contents that they may have. For `anchors`, a certificate that cannot be
 * parsed is skipped if its file has others: a bundle of many authorities may include one that is not DER.
 */
type Purpose = "anchors" | "signers" | "crls";

/**
 * Reads files in PEM (several blocks per file), DER, or a format of KEY_FILES. Throws CERTIFICATE_MALFORMED,
 * KEY_MALFORMED, CRL_MALFORMED, or KEYRING_INVALID if a block's type does not fit the purpose; each with the file.
 */
export function readMaterial(files: readonly SourceFile[], purpose: Purpose = "signers"): Material {
  const material: Found = { certificates: [], keys: [], crls: [], formatKeys: [], rejected: [] };
  for (const { path, bytes } of files) {
    try {
      readFile(path, bytes, purpose, material);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(path) : error;
    }
  }
  return material;
}

type Found = { readonly [Kind in keyof Material]: Material[Kind][number][] };

function readFile(path: string, bytes: Uint8Array, purpose: Purpose, found: Found): void {
  if (isPem(bytes)) readBlocks(path, bytes, purpose, found);
  else if (purpose === "crls") found.crls.push(readCrl(bytes));
  else if (!readText(bytes, found)) found.certificates.push(readCertificate(bytes));
}

/** Reads keys in a text format; returns false if the bytes are not such a text. DER never looks like one. */
function readText(bytes: Uint8Array, found: Found): boolean {
  if (bytes[0] === DER_SEQUENCE) return false;
  const text = Buffer.from(bytes).toString("utf8");
  const file = KEY_FILES.find((candidate) => candidate.is(text));
  if (file === undefined) return false;
  found.formatKeys.push(...file.read(text).map((key) => ({ file, key })));
  return true;
}

const DER_SEQUENCE = 0x30;

function readBlocks(path: string, pem: Uint8Array, purpose: Purpose, found: Found): void {
  const labels = LABELS[purpose];
  const blocks = readPem(pem);
  const rejected: RejectedCertificate[] = [];
  let first: CountersignError | null = null;
  for (const [index, { label, bytes }] of blocks.entries()) {
    const read = labels[label];
    if (read === undefined)
      throw new CountersignError("KEYRING_INVALID", `holds a \`${label}\`, which is not allowed there`, {
        remedy: `leave only ${Object.keys(labels).join(" and ")} in the file`,
      });
    try {
      read(bytes, found);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      const name = blocks.length === 1 ? nameIn(bytes) : `block ${index + 1}${nameIn(bytes)}`;
      const placed = name === "" ? error : error.within(name.trim());
      if (error.code !== "CERTIFICATE_MALFORMED" || purpose !== "anchors" || blocks.length === 1) throw placed;
      first ??= placed;
      rejected.push({ name: `${path} ${name}`, error });
    }
  }
  if (first !== null && rejected.length === blocks.length) throw first;
  found.rejected.push(...rejected);
  if (blocks.length > 0) return;
  throw new CountersignError("KEYRING_INVALID", "is empty", { remedy: `name a file with a ${Object.keys(labels)[0]}` });
}

/**
 * The subject of a certificate that cannot be parsed as a whole, with a space before it; empty if the subject cannot be
 * parsed.
 */
function nameIn(certificate: Uint8Array): string {
  try {
    const tbs = readDer(certificate, TAG.sequence, "a certificate").open().take(TAG.sequence, "its signed part").open();
    tbs.optional(context(0, true));
    // Skip the serial number, the algorithm, the issuer and the validity
    for (let field = 0; field < 4; field++) tbs.next();
    return ` \`${new Name(tbs.take(TAG.sequence, "a subject"))}\``;
  } catch {
    return "";
  }
}

/** Readers, keyed by the label of a PEM block (RFC 7468). */
type Labels = Readonly<Record<string, (bytes: Uint8Array, found: Found) => void>>;

const CERTIFICATE: Labels = { CERTIFICATE: (bytes, found) => found.certificates.push(readCertificate(bytes)) };
const PUBLIC_KEY: Labels = { "PUBLIC KEY": (bytes, found) => found.keys.push(readPublicKey(bytes)) };
const X509_CRL: Labels = { "X509 CRL": (bytes, found) => found.crls.push(readCrl(bytes)) };

const LABELS: Readonly<Record<Purpose, Labels>> = {
  anchors: { ...CERTIFICATE, ...PUBLIC_KEY },
  signers: { ...CERTIFICATE, ...PUBLIC_KEY },
  crls: { ...X509_CRL, ...CERTIFICATE },
};
