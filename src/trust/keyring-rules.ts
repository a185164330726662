import type { Profile } from "./x509/profile.js";
import type { Freshness } from "./x509/revocation.js";

/** A file that was read once, with the name that messages call it by. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * A CRL in DER of which it is not known yet who signed it. `confirm` is called once that is a certificate that may sign
 * it.
 */
export interface UnconfirmedList {
  readonly file: SourceFile;
  readonly confirm: () => void;
}

/** Whose bundles of Sigstore count besides those by the keyring's own public keys. */
export interface SigstoreRules {
  /** TrustedRoot in JSON (https://github.com/sigstore/protobuf-specs), as `cosign trusted-root create` writes it. */
  readonly root: SourceFile;
  /** Exactly these: the certificate's subject alternative name, and who vouched for it (Fulcio's issuer extension). */
  readonly identities: readonly { readonly subject: string; readonly issuer: string }[];
}

/** What a keyring trusts and under which rules: a keyring of the configuration with its files read. */
export interface KeyringRules {
  /**
   * Certificates in PEM (several a file) or DER; public keys (`PUBLIC KEY`) for signatures of type `RAW`, as ssh-keygen
   * writes them (also with principals before them) for `SSHSIG`, and minisign's for `MINISIGN`. A key is good for its
   * own type alone.
   */
  readonly trust: readonly SourceFile[];
  readonly revoked: {
    /**
     * CRLs in PEM or DER, with the certificates of who signed them where that is not who issued what they are about.
     */
    readonly crls: readonly SourceFile[];
    /** Lists that a sealed keyring took since it was read, each in DER: {@link SealedLists}. */
    readonly newer?: readonly SourceFile[] | undefined;
    /** Lists that count only if they are signed by whom they may be, and are ignored otherwise. */
    readonly unconfirmed?: readonly UnconfirmedList[] | undefined;
    /**
     * `require`: each certificate needs a CRL in its time. `if-present`, where it is absent: CRLs count as far as they
     * go.
     */
    readonly freshness?: Freshness | undefined;
    /** Certificates, or public keys, that are not good any more. */
    readonly certificates: readonly SourceFile[];
    /**
     * SHA-256 in hex, as in the kernel's .blacklist keyring: `bin:` before that of signed content (or nothing), `tbs:`
     * before that of a certificate's signed part, `key:` before that of a SubjectPublicKeyInfo. `cert:` before that of
     * a whole certificate; one without a word before it is of either content or a certificate.
     */
    readonly digests: readonly string[];
    /** Serial numbers in hex, of certificates that the subject of `issuer` issued. */
    readonly serials?: readonly { readonly issuer: SourceFile; readonly serials: readonly string[] }[] | undefined;
  };
  /** Extended key usages by name (`codeSigning` …) or in dots, of which a signer needs one; `any` for no such rule. */
  readonly usage: readonly string[];
  /** `now`: certificates are to be in their validity at the time of the hook. `ignore`: as in the kernel. */
  readonly validity: "now" | "ignore";
  /**
   * `strict`, where it is absent: below an anchor, what RFC 5280 asks of authorities is asked of certificates and CRLs.
   */
  readonly profile?: Profile | undefined;
  /** How many distinct keys must have signed; 1 where it is absent. */
  readonly signers?: number | undefined;
  /**
   * Certificate policies in dots, of which one must hold for the whole path; any, or none at all, where it is absent.
   */
  readonly policies?: readonly string[] | undefined;
  /**
   * Whose time stamps (RFC 3161) count; none where it is absent. `revoked`: what a certificate signed before it was
   * revoked is `denied`, the default, or `good-before`.
   */
  readonly timestamps?:
    | { readonly trust: readonly SourceFile[]; readonly revoked?: "denied" | "good-before" | undefined }
    | undefined;
  /** Bundles of Sigstore: its trusted root, and who may sign with a certificate of it. */
  readonly sigstore?: SigstoreRules | undefined;
  /** Namespaces of SSH signatures that are taken; `file` where it is absent. */
  readonly ssh?: { readonly namespaces: readonly string[] } | undefined;
}
