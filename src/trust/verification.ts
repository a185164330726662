/**
 * How a signature is encoded. `PKCS7`: detached CMS (RFC 5652), DER. `MODSIG`: appended to the data as kernel modules
 * carry it (scripts/sign-file.c). `RAW`: the bare output of the key's own algorithm. `SSHSIG`: as `ssh-keygen -Y sign`
 * writes it (OpenSSH's PROTOCOL.sshsig). `MINISIGN`: as minisign writes it. `SIGSTORE`: a bundle of Sigstore, in JSON.
 */
export const SIGNATURE_TYPES = ["PKCS7", "MODSIG", "RAW", "SSHSIG", "MINISIGN", "SIGSTORE"] as const;

export type SignatureType = (typeof SIGNATURE_TYPES)[number];

/** What came of verifying one signature. */
export interface Verification {
  /** 0, or -ENODATA, -EKEYREJECTED, -ENOKEY, -EKEYEXPIRED, -EKEYREVOKED, -EBADMSG, -ENOPKG. */
  readonly verdict: number;
  /** One line: what was found, and for a refusal which rule failed. */
  readonly reason: string;
  /** The rule that failed, such as `RFC 5280 6.1.3 (a)(2)`; null for a good signature. */
  readonly rule: string | null;
  /** The signer's subject or key id; null where there is none. */
  readonly signer: string | null;
  /** Milliseconds since the epoch until which this result may be remembered. */
  readonly until: number;
}
