import { CountersignError } from "../error.js";
import { isPem, readPem } from "./asn1/pem.js";
import { type PublicKey, readPublicKey } from "./key.js";
import type { SourceFile } from "./keyring-rules.js";
import { isMinisignKey, type MinisignKey, readMinisignKey } from "./minisign-key.js";
import { isSshKeys, readSshKeys, type SshSigner } from "./ssh/allowed-signers.js";
import { type Certificate, readCertificate } from "./x509/certificate.js";
import { type Crl, readCrl } from "./x509/crl.js";

/** What files of a keyring hold. */
export interface Material {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly PublicKey[];
  readonly crls: readonly Crl[];
  readonly ssh: readonly SshSigner[];
  readonly minisign: readonly MinisignKey[];
}

/** What files are for, and so what may be in them: who signs (or may not any more), or revocation lists. */
type Purpose = "signers" | "crls";

/**
 * Reads files in PEM (several things a file), DER, or the text forms of SSH and minisign keys. Throws CERTIFICATE_MALFORMED,
 * KEY_MALFORMED, CRL_MALFORMED, or KEYRING_INVALID where something is in them that has no place there, with the file.
 */
export function readMaterial(files: readonly SourceFile[], purpose: Purpose = "signers"): Material {
  const material: Found = { certificates: [], keys: [], crls: [], ssh: [], minisign: [] };
  for (const { path, bytes } of files) {
    try {
      readFile(bytes, purpose, material);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(path) : error;
    }
  }
  return material;
}

type Found = { readonly [Kind in keyof Material]: Material[Kind][number][] };

function readFile(bytes: Uint8Array, purpose: Purpose, found: Found): void {
  if (isPem(bytes)) readBlocks(bytes, LABELS[purpose], found);
  else if (purpose === "crls") found.crls.push(readCrl(bytes));
  else if (!readText(bytes, found)) found.certificates.push(readCertificate(bytes));
}

/** Keys that are lines of text; false where there are none. DER never looks like them. */
function readText(bytes: Uint8Array, found: Found): boolean {
  if (bytes[0] === DER_SEQUENCE) return false;
  const text = Buffer.from(bytes).toString("utf8");
  if (isMinisignKey(text)) found.minisign.push(readMinisignKey(text));
  else if (isSshKeys(text)) found.ssh.push(...readSshKeys(text));
  else return false;
  return true;
}

const DER_SEQUENCE = 0x30;

function readBlocks(pem: Uint8Array, labels: Labels, found: Found): void {
  const blocks = readPem(pem);
  for (const { label, bytes } of blocks) {
    const read = labels[label];
    if (read === undefined)
      throw new CountersignError("KEYRING_INVALID", `holds a \`${label}\`, which has no place there`, {
        remedy: `leave only ${Object.keys(labels).join(" and ")} in the file`,
      });
    read(bytes, found);
  }
  if (blocks.length > 0) return;
  throw new CountersignError("KEYRING_INVALID", "is empty", { remedy: `name a file with a ${Object.keys(labels)[0]}` });
}

/** Readers by the label of a PEM block (RFC 7468). */
type Labels = Readonly<Record<string, (bytes: Uint8Array, found: Found) => void>>;

const CERTIFICATE: Labels = { CERTIFICATE: (bytes, found) => found.certificates.push(readCertificate(bytes)) };
const PUBLIC_KEY: Labels = { "PUBLIC KEY": (bytes, found) => found.keys.push(readPublicKey(bytes)) };
const X509_CRL: Labels = { "X509 CRL": (bytes, found) => found.crls.push(readCrl(bytes)) };

const LABELS: Readonly<Record<Purpose, Labels>> = {
  signers: { ...CERTIFICATE, ...PUBLIC_KEY },
  crls: { ...X509_CRL, ...CERTIFICATE },
};
