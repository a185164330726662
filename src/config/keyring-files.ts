import { statSync } from "node:fs";
import { readInput } from "../input.js";
import type { KeyringRules, SourceFile } from "../trust/keyring.js";
import type { KeyringConfig } from "./keyring.js";

/** Maximum size in bytes of a file of certificates, keys or CRLs. */
const MAX_TRUST = 16 * 2 ** 20;

/** Reads the files of a keyring and returns its rules. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
export function rulesOf(keyring: KeyringConfig): KeyringRules {
  const file = (path: string): SourceFile => ({ path, bytes: readInput(path, MAX_TRUST) });
  const { trust, revoked, usage, policies, validity, profile, signers, timestamps, ssh, sigstore } = keyring;
  return {
    trust: trust.map(file),
    revoked: {
      ...revoked,
      crls: revoked.crls.map(file),
      certificates: revoked.certificates.map(file),
      serials: revoked.serials.map(({ issuer, serials }) => ({ issuer: file(issuer), serials })),
    },
    usage,
    policies,
    validity,
    profile,
    signers,
    ssh,
    ...(timestamps === null ? {} : { timestamps: { ...timestamps, trust: timestamps.trust.map(file) } }),
    ...(sigstore === null ? {} : { sigstore: { ...sigstore, root: file(sigstore.root) } }),
  };
}

/** Reads the keyring's CRL files and skips those that cannot be read. */
export function listsOf({ revoked }: KeyringConfig): readonly SourceFile[] {
  return revoked.crls.flatMap((path) => {
    try {
      return [{ path, bytes: readInput(path, MAX_TRUST) }];
    } catch {
      return [];
    }
  });
}

/** Paths of all files that a keyring is read from. */
export function filesOf({ trust, revoked, timestamps, sigstore }: KeyringConfig): readonly string[] {
  const root = sigstore === null ? [] : [sigstore.root];
  const issuers = revoked.serials.map(({ issuer }) => issuer);
  return [...trust, ...revoked.crls, ...revoked.certificates, ...issuers, ...(timestamps?.trust ?? []), ...root];
}

/**
 * Reads the status of the files with stat(2). The result changes when a file is written, replaced or moved, also if a
 * symbolic link on its path changes, as when Kubernetes updates a mounted ConfigMap.
 */
export function stateOf(files: readonly string[]): FileState {
  let newest = 0;
  const marks = files.map((file) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = statSync(file, { bigint: true });
      newest = Math.max(newest, Number(ctimeMs));
      return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    }
  });
  return { mark: marks.join(" "), newest };
}

export interface FileState {
  readonly mark: string;
  /** Time of the last change of any file in milliseconds since the epoch; 0 if no file exists. */
  readonly newest: number;
}
