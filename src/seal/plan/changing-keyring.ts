import type { KeyringConfig } from "../../config/keyring.js";

/**
 * Why the result of verifying by a keyring can change while the machine runs; null if it cannot. A list holds verdicts
 * for good, so it can carry only results that stay.
 */
export function whyKeyringChanges({ validity, revoked, sigstore }: KeyringConfig): string | null {
  if (validity === "now") return "judges certificates at the time of the load (`validity: now`)";
  if (revoked.crls.length > 0) return "has revocation lists, which can be replaced";
  if (revoked.freshness === "require") return "needs revocation lists that are in their time";
  return sigstore === null ? null : "judges Sigstore's certificates by their times";
}

/**
 * Why a kernel keyring cannot stand for a keyring of the configuration; null if it can. The kernel ignores validity,
 * revocation, usages and paths, and knows the signer's own certificate only (crypto/asymmetric_keys/pkcs7_trust.c).
 * `authorities` are the subjects of certificates in `trust` that may issue others.
 */
export function whyNotInKernel(keyring: KeyringConfig, authorities: readonly string[]): string | null {
  const { revoked, usage, policies, signers, timestamps } = keyring;
  const changing = whyKeyringChanges(keyring);
  if (changing !== null) return changing;
  if (revoked.certificates.length + revoked.digests.length + revoked.serials.length > 0)
    return "has a block list, which the kernel does not read";
  if (usage.join() !== "any")
    return `asks for the usage ${usage.join(", ")}, which the kernel ignores (\`usage: [any]\`)`;
  if (policies.length > 0) return "asks for certificate policies, which the kernel ignores";
  if (signers > 1) return `asks for ${signers} signers, where one is enough for the kernel`;
  if (timestamps !== null) return "counts time stamps, which the kernel ignores";
  const [authority] = authorities;
  return authority === undefined
    ? null
    : `trusts the authority \`${authority}\`; the kernel needs the certificate of each signer itself`;
}
