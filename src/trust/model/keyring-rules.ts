import type { Freshness } from "../path/revocation.js";
import type { Profile } from "../x509/profile.js";

/** A file that has been read, with the path that messages use. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * A CRL in DER whose signer is not known yet. `confirm` is called once a certificate that may sign the list has been
 * found to have signed it.
 */
export interface UnconfirmedList {
  readonly file: SourceFile;
  readonly confirm: () => void;
}

/** The Sigstore bundles that are accepted, besides those signed by the keyring's own public keys. */
export interface SigstoreRules {
  /** TrustedRoot in JSON (https://github.com/sigstore/protobuf-specs), as `cosign trusted-root create` writes it. */
  readonly root: SourceFile;
  /**
   * Exact matches of the certificate's subject alternative name and of the OIDC issuer in Fulcio's issuer extension.
   */
  readonly identities: readonly { readonly subject: string; readonly issuer: string }[];
}

/** The contents and rules of a keyring: a keyring of the configuration with its files read. */
export interface KeyringRules {
  /**
   * Certificates in PEM (several per file) or DER; public keys (`PUBLIC KEY`) for signatures of type `RAW` and for
   * Sigstore bundles; keys in a text format of KEY_FILES, such as those that ssh-keygen and minisign write. A key is
   * accepted for its own type only.
   */
  readonly trust: readonly SourceFile[];
  readonly revoked: {
    /**
     * CRLs in PEM or DER, with the certificates of their signers if those differ from the issuers of the certificates
     * that the lists cover.
     */
    readonly crls: readonly SourceFile[];
    /** Lists that a sealed keyring accepted after it was opened, each in DER: {@link SealedLists}. */
    readonly newer?: readonly SourceFile[] | undefined;
    /** Lists that are used only if a certificate that may sign them did, and are ignored otherwise. */
    readonly unconfirmed?: readonly UnconfirmedList[] | undefined;
    /** `require`: each certificate needs a current CRL. `if-present`, the default: CRLs are used if there are any. */
    readonly freshness?: Freshness | undefined;
    /** Certificates, or public keys, that are revoked. */
    readonly certificates: readonly SourceFile[];
    /**
     * SHA-256 in hex, as in the kernel's .blacklist keyring, with a prefix: `bin:` for signed content, `tbs:` for a
     * certificate's signed part, `key:` for a SubjectPublicKeyInfo, `cert:` for a whole certificate. Without a prefix
     * it is the digest of content or of a certificate.
     */
    readonly digests: readonly string[];
    /** Serial numbers, in hex, of revoked certificates whose issuer is the subject of the certificate `issuer`. */
    readonly serials?: readonly { readonly issuer: SourceFile; readonly serials: readonly string[] }[] | undefined;
  };
  /**
   * Extended key usages by name (`codeSigning` …) or in dotted form; a signer needs one of them. `any` turns the check
   * off.
   */
  readonly usage: readonly string[];
  /** `now`: certificates must be valid at the time of the hook. `ignore`: validity is not checked, as in the kernel. */
  readonly validity: "now" | "ignore";
  /**
   * `strict`, the default: certificates and CRLs below an anchor must meet what RFC 5280 requires of the authorities
   * that issue them.
   */
  readonly profile?: Profile | undefined;
  /** How many distinct keys must have signed; 1 by default. */
  readonly signers?: number | undefined;
  /**
   * Certificate policies in dotted form; one of them must be valid for the whole path. By default there is no such
   * requirement.
   */
  readonly policies?: readonly string[] | undefined;
  /**
   * The trusted time-stamping authorities (RFC 3161); without them time stamps are ignored. `revoked` is for signatures
   * from before the revocation of their certificate: `denied` (the default) or `good-before`.
   */
  readonly timestamps?:
    | { readonly trust: readonly SourceFile[]; readonly revoked?: "denied" | "good-before" | undefined }
    | undefined;
  /** Sigstore: its trusted root, and the identities that may sign with a certificate under it. */
  readonly sigstore?: SigstoreRules | undefined;
  /** Namespaces of SSH signatures that are accepted; `file` by default. */
  readonly ssh?: { readonly namespaces: readonly string[] } | undefined;
}
