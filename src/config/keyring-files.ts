import { statSync } from "node:fs";
import { readInput } from "../input.js";
import type { KeyringRules, SourceFile } from "../trust/keyring.js";
import type { KeyringConfig } from "./keyring.js";

/** The largest file of trust that is read. */
const MAX_TRUST = 16 * 2 ** 20;

/** A keyring's rules, with its files read. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
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

/** The files of a keyring's CRLs that can be read. */
export function listsOf({ revoked }: KeyringConfig): readonly SourceFile[] {
  return revoked.crls.flatMap((path) => {
    try {
      return [{ path, bytes: readInput(path, MAX_TRUST) }];
    } catch {
      return [];
    }
  });
}

/** Every file that a keyring is made of. */
export function filesOf({ trust, revoked, timestamps, sigstore }: KeyringConfig): readonly string[] {
  const root = sigstore === null ? [] : [sigstore.root];
  const issuers = revoked.serials.map(({ issuer }) => issuer);
  return [...trust, ...revoked.crls, ...revoked.certificates, ...issuers, ...(timestamps?.trust ?? []), ...root];
}

/**
 * What a file system says about files without reading them: it changes when one of them is written to, replaced or
 * moved, also through a symbolic link on the way, as Kubernetes replaces a mounted ConfigMap.
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
  /** When one of the files was last changed, in milliseconds since the epoch; 0 where none is there. */
  readonly newest: number;
}
