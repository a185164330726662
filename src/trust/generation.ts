import { CountersignError } from "../error.js";
import type { BlockList } from "./block-list.js";
import { TimeStampTrust } from "./cms/time-stamp.js";
import { Effort, type Spending } from "./effort.js";
import type { PublicKey } from "./key.js";
import type { KeyringRules } from "./keyring-rules.js";
import type { MinisignKey } from "./minisign-key.js";
import type { Refusal } from "./refusal.js";
import { SigstoreTrust } from "./sigstore/sigstore.js";
import { type RejectedCertificate, readMaterial } from "./source.js";
import { SshTrust } from "./ssh/sshsig.js";
import type { Trace } from "./trace.js";
import type { Verification } from "./verification.js";
import { VerificationCache } from "./verification-cache.js";
import { Window } from "./window.js";
import type { Certificate } from "./x509/certificate.js";
import { CertificateCache } from "./x509/certificate-cache.js";
import { CertificateIndex } from "./x509/certificate-index.js";
import { findPath } from "./x509/path.js";
import type { PathRules } from "./x509/path-rule.js";
import { knownCertificates, requirementsOf } from "./x509/requirements.js";

/**
 * One immutable state of a keyring: the certificates and keys that it trusts, its block list and rules, and the cached
 * results. Replacing a keyring creates a new generation, so that no cached result outlives the rules that it was
 * computed under.
 */
export class Generation {
  readonly anchors: CertificateIndex;
  /** Public keys without certificates, for signatures of type `RAW`. */
  readonly keys: readonly PublicKey[];
  /** Certificates of `trust` that could not be parsed and are not used. */
  readonly rejected: readonly RejectedCertificate[];
  readonly ssh: SshTrust;
  readonly minisign: readonly MinisignKey[];
  /** Null if no Sigstore bundle is accepted. */
  readonly sigstore: SigstoreTrust | null;
  /** The trusted time-stamping authorities; null if no time stamp is accepted. */
  readonly timeStamps: TimeStampTrust | null;
  readonly blockList: BlockList;
  readonly verifications = new VerificationCache();
  readonly certificates: CertificateCache;
  /** Number of distinct keys that must have signed. */
  readonly signersNeeded: number;
  readonly #rules: PathRules;
  /** The public keys of all certificates in the keyring's files. */
  readonly #keys: ReadonlySet<PublicKey>;
  readonly #paths = new WeakMap<Certificate, Remembered>();
  #good: Verification | null = null;

  /** Throws KEYRING_INVALID, CERTIFICATE_MALFORMED, KEY_MALFORMED with the file. */
  constructor(
    readonly number: number,
    rules: KeyringRules,
  ) {
    const { certificates, keys, ssh, minisign, rejected } = readMaterial(rules.trust, "anchors");
    if (keys.length > MAX_KEYS)
      throw new CountersignError("KEYRING_INVALID", `holds ${keys.length} public keys, more than ${MAX_KEYS}`, {
        place: "trust",
        remedy: "split the keyring, or use certificates, whose number is not limited",
      });
    this.anchors = new CertificateIndex(certificates);
    this.keys = keys;
    this.rejected = rejected;
    this.ssh = new SshTrust(ssh, rules);
    this.minisign = minisign;
    const known = knownCertificates(rules, certificates);
    this.#keys = new Set(known.all.all.map(({ publicKey }) => publicKey));
    this.blockList = known.blockList;
    this.sigstore = rules.sigstore ? new SigstoreTrust(rules.sigstore, rules, keys, known) : null;
    this.certificates = new CertificateCache(certificates);
    this.signersNeeded = rules.signers ?? 1;
    this.#rules = requirementsOf(rules, known, certificates, "trust");
    this.timeStamps = rules.timestamps ? new TimeStampTrust(rules.timestamps, rules, known) : null;
  }

  /** The result of a valid signature. Consecutive results are often equal, so the last object is reused. */
  good(signer: string, until: number): Verification {
    if (this.#good === null || this.#good.signer !== signer || this.#good.until !== until)
      this.#good = { verdict: 0, reason: `signed by \`${signer}\``, rule: null, signer, until };
    return this.#good;
  }

  /** A fresh limit for one message. */
  effort(): Effort {
    return new Effort(this.#keys);
  }

  /**
   * Whether a certificate may sign under this keyring's rules: null, or why not. `others` are candidates for
   * intermediate certificates.
   */
  path(
    target: Certificate,
    others: readonly Certificate[],
    window: Window,
    trace: Trace | null,
    effort: Effort = this.effort(),
  ): Refusal | null {
    const remembered = window.stamp === null ? this.#paths.get(target) : undefined;
    if (trace === null && remembered !== undefined && holds(remembered, others, window.at)) {
      window.narrow(remembered.window);
      effort.repeat(remembered.cost);
      return remembered.refusal;
    }
    const own = new Window(window.at, window.stamp);
    const { mark } = effort;
    const found = findPath(target, this.anchors, new CertificateIndex(others), this.#rules, own, trace, effort);
    const refusal = "verdict" in found ? found : null;
    // The limit was exceeded by work that the next message may not do, so that result is not cached
    if (window.stamp === null && !effort.spent)
      this.#paths.set(target, { others, window: own, refusal, cost: effort.since(mark) });
    window.narrow(own);
    return refusal;
  }
}

/** A RAW signature does not identify its key, so each key is tried. */
const MAX_KEYS = 64;

interface Remembered {
  readonly others: readonly Certificate[];
  readonly window: Window;
  readonly refusal: Refusal | null;
  /** The cost that the verification added; added again on each use of the cached result. */
  readonly cost: Spending;
}

function holds({ others, window }: Remembered, now: readonly Certificate[], at: number): boolean {
  return (
    at >= window.from &&
    at < window.until &&
    others.length === now.length &&
    others.every((certificate, index) => certificate === now[index])
  );
}
