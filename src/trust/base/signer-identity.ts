/** Who signed, by the certificate or by the keyring's own files. Fields that these do not have are null. */
export interface SignerIdentity {
  /** The certificate's subject (RFC 4514), the identity in it (Sigstore), or an SSH key's principals or comment. */
  readonly subject: string | null;
  /** Serial number of the certificate in lower-case hex, as `openssl x509 -serial` prints it in upper case. */
  readonly serial: string | null;
  /** The certificate's issuer (RFC 4514); for Sigstore, the issuer of the identity. */
  readonly issuer: string | null;
}

/** The certificates of a path from the one nearest to the anchor, or the anchor itself, down to the signer's. */
export type CertificatePath = readonly SignerIdentity[];

/** The identity of a key without a certificate or a name. */
export const NAMELESS: SignerIdentity = { subject: null, serial: null, issuer: null };
