import type { CertificatePath } from "../base/signer-identity.js";
import type { Signer } from "./signer.js";

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
  /** The signers in the order of the message; empty if the signature is rejected. */
  readonly signers: readonly Signer[];
  /**
   * Of a valid signature, the path of each signer with a certificate, in the order of the signers. Of a rejected one,
   * the path that got furthest, if any was tried.
   */
  readonly paths: readonly CertificatePath[];
  /** Milliseconds since the epoch until which this result may be cached. */
  readonly until: number;
}
