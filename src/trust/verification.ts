/**
 * How a signature is encoded. `PKCS7`: detached CMS (RFC 5652) in DER. `MODSIG`: appended to the data, as on kernel
 * modules (scripts/sign-file.c). `RAW`: the bare output of the key's algorithm. `SSHSIG`: as `ssh-keygen -Y sign`
 * writes it (OpenSSH's PROTOCOL.sshsig). `MINISIGN`: as minisign writes it. `SIGSTORE`: a Sigstore bundle in JSON.
 */
export const SIGNATURE_TYPES = ["PKCS7", "MODSIG", "RAW", "SSHSIG", "MINISIGN", "SIGSTORE"] as const;

export type SignatureType = (typeof SIGNATURE_TYPES)[number];

/** The result of verifying one signature. */
export interface Verification {
  /** 0, or -ENODATA, -EKEYREJECTED, -ENOKEY, -EKEYEXPIRED, -EKEYREVOKED, -EBADMSG, -ENOPKG. */
  readonly verdict: number;
  /** One line: the signer, or why the signature is rejected. */
  readonly reason: string;
  /** The rule that failed, such as `RFC 5280 6.1.3 (a)(2)`; null for a valid signature. */
  readonly rule: string | null;
  /** The signer's subject or key id; null if the signature is rejected. */
  readonly signer: string | null;
  /** Milliseconds since the epoch until which this result may be cached. */
  readonly until: number;
}
