import type { Effort } from "../base/effort.js";
import type { Refusal } from "../base/refusal.js";
import type { CertificatePath } from "../base/signer-identity.js";
import type { Window } from "../base/window.js";
import type { TimeStampTrust } from "../cms/time-stamp.js";
import type { PublicKey } from "../key/key.js";
import type { KeyringRules } from "../model/keyring-rules.js";
import type { Signer } from "../model/signer.js";
import type { BlockList } from "../path/block-list.js";
import type { PathRules } from "../path/path-rule.js";
import type { Trace } from "../path/trace.js";
import type { Certificate } from "../x509/certificate.js";
import type { CertificateCache } from "../x509/certificate-cache.js";
import type { CertificateIndex } from "../x509/certificate-index.js";

/** How signatures of one type are encoded, and how they are verified. */
export interface SignatureFormat {
  /** One sentence for those who write policies. */
  readonly doc: string;
  /** Whether the signature is apart from the data. If not, it is read from the end of the data. */
  readonly detached: boolean;
  /**
   * Endings of signature files. The first is appended to the signed file's name; others are recognised only if the user
   * names the file. Empty if the signature is part of the data.
   */
  readonly endings: readonly string[];
  /**
   * Throws for a damaged signature file, which the user must repair, so that it is not treated as a signature that does
   * not verify. Null for formats that are parsed only when a policy verifies the signature.
   */
  readonly check: ((signature: Uint8Array) => void) | null;
  /** How one file holds the signatures of several signers; null if it holds one signature. */
  readonly several: Several | null;
  /** Key files for this format only; null if its signers have certificates or PEM keys. */
  readonly keys: KeyFile | null;
  /** Prepares verification with one version of a keyring. Throws KEYRING_INVALID. */
  open(keyring: TrustedKeyring): Verify;
}

/** Signatures of several signers over the same data, one after the other in one file. */
export interface Several {
  /** The signatures in a file, each as it is alone. What cannot be split is returned as one. */
  split(bytes: Uint8Array): readonly Uint8Array[];
  /** Whom a signature says that it is by, for comparison. Throws DER_MALFORMED or SIGNATURE_MALFORMED. */
  signerOf(signature: Uint8Array): string;
  /**
   * Prepares the question whether a signature names a key of a keyring, or a certificate that one of its authorities
   * has issued. Nothing is verified for that; what is read is charged. Throws DER_MALFORMED or SIGNATURE_MALFORMED.
   */
  naming(keyring: TrustedKeyring): (signature: Uint8Array, effort: Effort) => boolean;
}

/** A text format of public keys, beside PEM. */
export interface KeyFile<Key extends FileKey = FileKey> {
  /** Kind of its keys, for messages. */
  readonly kind: string;
  /** Whether a text has this format, and no other. DER never gets here. */
  is(text: string): boolean;
  /** Throws KEY_MALFORMED or KEYRING_INVALID. */
  read(text: string): readonly Key[];
}

/** A public key from a {@link KeyFile}. */
export interface FileKey {
  /** For messages. */
  readonly name: string;
  readonly key: PublicKey;
  /** When it expires, in milliseconds since the epoch. */
  readonly validBefore?: number;
}

/** What a format may use of a keyring. */
export interface TrustedKeyring {
  readonly rules: KeyringRules;
  readonly anchors: CertificateIndex;
  /** Public keys without certificates, in PEM. */
  readonly keys: readonly PublicKey[];
  readonly blockList: BlockList;
  /** The trusted time-stamping authorities; null if no time stamp is accepted. */
  readonly timeStamps: TimeStampTrust | null;
  readonly certificates: CertificateCache;
  /** The keys in files of a format of their own. */
  keysOf<Key extends FileKey>(file: KeyFile<Key>): readonly Key[];
  /** The rules for paths to other anchors, under other keyring rules. `place` is the anchors' configuration key. */
  pathRules(rules: KeyringRules, anchors: readonly Certificate[], place: string): PathRules;
  /**
   * The path by which a certificate may sign under the keyring's rules, or why it may not. `others` are candidates for
   * intermediate certificates.
   */
  checkPath(
    target: Certificate,
    others: readonly Certificate[],
    window: Window,
    trace: Trace | null,
    effort: Effort,
  ): CertificatePath | Refusal;
}

/** One signature to verify. */
export interface VerificationContext<Signature extends Uint8Array | null = Uint8Array> {
  readonly data: Uint8Array;
  /** Whether the data are a program statement, and not bytes of any other meaning. */
  readonly isStatement: boolean;
  /** A format that is not detached also gets null: the signature is then in the data. */
  readonly signature: Signature;
  readonly window: Window;
  readonly trace: Trace | null;
  /** What the verification may still cost, for all signatures of a file together. */
  readonly effort: Effort;
}

/** Verifies one signature with the keyring that it was opened for. Throws DER_MALFORMED or SIGNATURE_MALFORMED. */
export type Verify = (context: VerificationContext) => readonly Signer[] | Refusal;
