import { CountersignError } from "../../error.js";
import { Effort, type Spending, tooMuch } from "../base/effort.js";
import type { Refusal } from "../base/refusal.js";
import { boundedReason } from "../base/refusal.js";
import type { CertificatePath } from "../base/signer-identity.js";
import { Window } from "../base/window.js";
import { TimeStampTrust } from "../cms/time-stamp.js";
import type {
  FileKey,
  KeyFile,
  SignatureFormat,
  TrustedKeyring,
  VerificationContext,
  Verify,
} from "../formats/format.js";
import { FORMATS, KEY_FILES, type SignatureType } from "../formats/formats.js";
import { verifyEach } from "../formats/verify-each.js";
import type { PublicKey } from "../key/key.js";
import type { KeyringRules } from "../model/keyring-rules.js";
import { type Signer, sameSigners } from "../model/signer.js";
import type { Verification } from "../model/verification.js";
import type { BlockList } from "../path/block-list.js";
import { findPath, identitiesOf } from "../path/path.js";
import type { PathRules } from "../path/path-rule.js";
import type { Trace } from "../path/trace.js";
import { type KnownCertificates, knownCertificates, requirementsOf } from "../source/requirements.js";
import { keysOf, type Material, type RejectedCertificate, readMaterial } from "../source/source.js";
import type { Certificate } from "../x509/certificate.js";
import { CertificateCache } from "../x509/certificate-cache.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import { VerificationCache } from "./verification-cache.js";

/**
 * One immutable version of a keyring: the certificates and keys that it trusts, its block list and rules, and the
 * cached results. Replacing a keyring creates a new version, so that no cached result outlives the rules that it was
 * computed under.
 */
export class KeyringVersion implements TrustedKeyring {
  readonly anchors: CertificateIndex;
  readonly keys: readonly PublicKey[];
  /** Certificates of `trust` that could not be parsed and are not used. */
  readonly rejected: readonly RejectedCertificate[];
  readonly timeStamps: TimeStampTrust | null;
  readonly blockList: BlockList;
  readonly verifications = new VerificationCache();
  readonly certificates: CertificateCache;
  /** Number of distinct keys that must have signed. */
  readonly signersNeeded: number;
  readonly #material: Material;
  readonly #known: KnownCertificates;
  readonly #pathRules: PathRules;
  readonly #verifiers: Readonly<Record<SignatureType, Verify>>;
  /** The public keys in the keyring's files: those of certificates, anchors of other formats included, and others. */
  readonly #keys: Set<PublicKey>;
  readonly #paths = new WeakMap<Certificate, CachedPath>();
  #good: Verification | null = null;

  /** Throws KEYRING_INVALID, CERTIFICATE_MALFORMED, KEY_MALFORMED with the file. */
  constructor(
    readonly number: number,
    readonly rules: KeyringRules,
  ) {
    this.#material = readMaterial(rules.trust, "anchors");
    const { certificates, keys, rejected } = this.#material;
    if (keys.length > MAX_KEYS)
      throw new CountersignError("KEYRING_INVALID", `holds ${keys.length} public keys, more than ${MAX_KEYS}`, {
        place: "trust",
        remedy: "split the keyring, or use certificates, whose number is not limited",
      });
    this.anchors = new CertificateIndex(certificates);
    this.keys = keys;
    this.rejected = rejected;
    this.#known = knownCertificates(rules, certificates);
    const fileKeys = KEY_FILES.flatMap((file) => this.keysOf(file).map(({ key }) => key));
    this.#keys = new Set([...this.#known.all.all.map(({ publicKey }) => publicKey), ...keys, ...fileKeys]);
    this.blockList = this.#known.blockList;
    this.certificates = new CertificateCache(certificates);
    this.signersNeeded = rules.signers ?? 1;
    this.#pathRules = this.pathRules(rules, certificates, "trust");
    this.timeStamps = rules.timestamps ? this.#timeStampTrust(rules.timestamps.revoked) : null;
    const opened = Object.entries(FORMATS).map(([type, format]) => [type, format.open(this)]);
    this.#verifiers = Object.fromEntries(opened);
  }

  /**
   * The signers of a valid signature, or why it is rejected. `signature` may be null if the format is not detached.
   * A message that exceeds the limit of effort is rejected for that, whatever else is wrong with it. Throws
   * DER_MALFORMED or SIGNATURE_MALFORMED.
   */
  verify(type: SignatureType, context: Omit<Given, "effort">): readonly Signer[] | Refusal {
    const { several } = FORMATS[type] as SignatureFormat;
    const verify = this.#verifiers[type];
    const effort = this.effort();
    const given = { ...context, effort } as VerificationContext;
    try {
      const outcome = several === null ? verify(given) : verifyEach(several, this, verify, given);
      return effort.spent ? tooMuch() : outcome;
    } catch (error) {
      if (effort.spent) return tooMuch();
      throw error;
    }
  }

  keysOf<Key extends FileKey>(file: KeyFile<Key>): readonly Key[] {
    return keysOf(this.#material, file);
  }

  pathRules(rules: KeyringRules, anchors: readonly Certificate[], place: string): PathRules {
    for (const { publicKey } of anchors) this.#keys.add(publicKey);
    return requirementsOf(rules, this.#known, anchors, place);
  }

  #timeStampTrust(revoked: "denied" | "good-before" | undefined): TimeStampTrust {
    const { stamps } = this.#known;
    const asked = { ...this.rules, usage: ["timeStamping"], policies: [] };
    const pathRules = this.pathRules(asked, stamps, "timestamps.trust");
    return new TimeStampTrust(stamps, pathRules, revoked === "good-before");
  }

  /** The result of a valid signature. Consecutive results are often equal, so the last object is reused. */
  good(signers: readonly Signer[], until: number): Verification {
    if (this.#good === null || this.#good.until !== until || !sameSigners(this.#good.signers, signers)) {
      const signer = signers.map(({ name }) => name).join("; ");
      const paths = signers.flatMap(({ path = [] }) => (path.length === 0 ? [] : [path]));
      const reason = boundedReason(`signed by \`${signer}\``);
      this.#good = { verdict: 0, reason, rule: null, signer, signers, paths, until };
    }
    return this.#good;
  }

  /** A fresh limit for one message. */
  effort(): Effort {
    return new Effort(this.#keys);
  }

  checkPath(
    target: Certificate,
    others: readonly Certificate[],
    window: Window,
    trace: Trace | null,
    effort: Effort,
  ): CertificatePath | Refusal {
    const cached = window.stamp === null ? this.#paths.get(target) : undefined;
    if (trace === null && cached !== undefined && isCurrent(cached, others, window.at)) {
      window.narrow(cached.window);
      effort.repeat(cached.cost);
      return cached.outcome;
    }
    const own = new Window(window.at, window.stamp);
    const { mark } = effort;
    const found = findPath(target, this.anchors, new CertificateIndex(others), this.#pathRules, own, trace, effort);
    const outcome = "verdict" in found ? found : identitiesOf(found.path);
    // The limit was exceeded by work that the next message may not do, so that result is not cached
    if (window.stamp === null && !effort.spent)
      this.#paths.set(target, { others, window: own, outcome, cost: effort.since(mark) });
    window.narrow(own);
    return outcome;
  }
}

type Given = VerificationContext<Uint8Array | null>;

/** A RAW signature does not identify its key, so each key is tried. */
const MAX_KEYS = 64;

interface CachedPath {
  readonly others: readonly Certificate[];
  readonly window: Window;
  readonly outcome: CertificatePath | Refusal;
  /** The cost that the verification added; added again on each use of the cached result. */
  readonly cost: Spending;
}

function isCurrent({ others, window }: CachedPath, now: readonly Certificate[], at: number): boolean {
  return (
    at >= window.from &&
    at < window.until &&
    others.length === now.length &&
    others.every((certificate, index) => certificate === now[index])
  );
}
