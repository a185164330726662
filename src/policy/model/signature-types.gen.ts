// Generated from src/trust/formats/formats.ts by scripts/signature-types.mjs

/** Signature types. */
export const SIGNATURE_TYPES = ["PKCS7", "MODSIG", "RAW", "SSHSIG", "MINISIGN", "SIGSTORE"] as const;

/** Those whose signature is not part of the data. */
export const DETACHED_SIGNATURE_TYPES: readonly string[] = [
  "PKCS7",
  "RAW",
  "SSHSIG",
  "MINISIGN",
  "SIGSTORE",
];
