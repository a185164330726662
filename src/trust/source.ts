import { CountersignError } from "../error.js";
import { isSshKeys, readSshKeys, type SshSigner } from "./allowed-signers.js";
import { Certificate, readCertificate } from "./certificate.js";
import { PublicKey, readPublicKey } from "./key.js";
import type { SourceFile } from "./keyring-rules.js";
import { isMinisignKey, type MinisignKey, readMinisignKey } from "./minisign.js";
import { isPem, readPem } from "./pem.js";

/** What files of a keyring hold. */
export interface Material {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly PublicKey[];
  readonly ssh: readonly SshSigner[];
  readonly minisign: readonly MinisignKey[];
}

/**
 * Reads certificates and public keys from files in PEM (several a file) or DER, and keys of SSH and minisign as those write them.
 * Throws CERTIFICATE_MALFORMED, KEY_MALFORMED or KEYRING_INVALID with the file.
 */
export function readMaterial(files: readonly SourceFile[]): Material {
  const certificates: Certificate[] = [];
  const keys: PublicKey[] = [];
  const ssh: SshSigner[] = [];
  const minisign: MinisignKey[] = [];
  for (const file of files)
    for (const item of readFile(file)) {
      if (item instanceof Certificate) certificates.push(item);
      else if (item instanceof PublicKey) keys.push(item);
      else if ("blob" in item) ssh.push(item);
      else minisign.push(item);
    }
  return { certificates, keys, ssh, minisign };
}

function readFile({ path, bytes }: SourceFile): readonly (Certificate | PublicKey | SshSigner | MinisignKey)[] {
  try {
    if (!isPem(bytes)) {
      const text = Buffer.from(bytes).toString("utf8");
      if (isMinisignKey(text)) return [readMinisignKey(text)];
      return isSshKeys(text) ? readSshKeys(text) : [readCertificate(bytes)];
    }
    const items = readPem(bytes).map(({ label, bytes }) => READERS[label]?.(bytes) ?? misplaced(label));
    if (items.length > 0) return items;
    throw new CountersignError("KEYRING_INVALID", "holds no certificate", { remedy: "name a file with certificates" });
  } catch (error) {
    throw error instanceof CountersignError ? error.within(path) : error;
  }
}

const READERS: Readonly<Record<string, (bytes: Uint8Array) => Certificate | PublicKey>> = {
  CERTIFICATE: readCertificate,
  "X509 CERTIFICATE": readCertificate,
  "PUBLIC KEY": (bytes) => readPublicKey(bytes),
};

function misplaced(label: string): never {
  throw new CountersignError(
    "KEYRING_INVALID",
    `holds a \`${label}\`, which is neither a certificate nor a public key`,
    {
      remedy: "leave only certificates and public keys in the file",
    },
  );
}
