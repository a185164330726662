import { createPublicKey, type KeyObject } from "node:crypto";
import type { Bundle } from "@sigstore/bundle";
import type { TrustMaterial } from "@sigstore/verify";
import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { readDer } from "../asn1/der.js";
import { oid } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import { type Effort, tooMuch } from "../base/effort.js";
import { printable } from "../base/printable.js";
import { quoted, type Refusal, refuse } from "../base/refusal.js";
import { type CertificatePath, NAMELESS, type SignerIdentity } from "../base/signer-identity.js";
import { Window } from "../base/window.js";
import type { Scheme } from "../key/algorithm.js";
import type { PublicKey } from "../key/key.js";
import type { KeyringRules, SigstoreRules } from "../model/keyring-rules.js";
import type { Signer } from "../model/signer.js";
import type { BlockList } from "../path/block-list.js";
import { findPath, identitiesOf } from "../path/path.js";
import type { PathRules } from "../path/path-rule.js";
import { Certificate, readCertificate } from "../x509/certificate.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import { enteredKey, library, type Message, messageOf, momentsOf, readBundle, SIGSTORE } from "./sigstore-bundle.js";

/**
 * Verifies Sigstore bundles offline. Sigstore's own libraries parse the bundle and verify its log entries and time
 * stamps; the signature, the signer and its certificate are checked here, as for other signatures. A bundle is accepted
 * if one of the keyring's public keys signed it, or a certificate under the Sigstore root with exactly one of the
 * configured identities. In both cases a log of that root must include it.
 */
export class SigstoreTrust {
  readonly #material: TrustMaterial;
  readonly #anchors: CertificateIndex;
  readonly #identities: SigstoreRules["identities"];
  readonly #rules: PathRules;
  /** Checks on the certificates of time-stamping authorities, in addition to the library's. */
  readonly #stampRules: PathRules;
  /** Certificate chains of the time-stamping authorities, in the order of the root. */
  readonly #stampChains: readonly (readonly Certificate[])[];

  /** Throws KEYRING_INVALID, CERTIFICATE_MALFORMED. */
  constructor(
    rules: SigstoreRules,
    private readonly keyring: SigstoreKeyring,
  ) {
    const { material, authorities, stampChains } = readRoot(rules.root);
    this.#stampChains = stampChains;
    this.#material = material;
    this.#anchors = new CertificateIndex(authorities);
    this.#identities = rules.identities;
    // Sigstore's certificates are valid for minutes and have no CRLs, so fresh lists are not required; a listed
    // certificate is still revoked
    const revoked = { ...keyring.rules.revoked, freshness: "if-present" } as const;
    const asked = { ...keyring.rules, usage: ["codeSigning"], validity: "now", policies: [], revoked } as const;
    this.#rules = keyring.pathRules(asked, authorities, "sigstore.root");
    this.#stampRules = keyring.pathRules({ ...asked, usage: ["any"], validity: "ignore" }, [], "sigstore.root");
  }

  verify(data: Uint8Array, signature: Uint8Array, window: Window, effort: Effort): readonly Signer[] | Refusal {
    if (!effort.charge("json", signature.length)) return tooMuch();
    const bundle = readBundle(signature);
    if (bundle === null) return refuse("EBADMSG", SIGSTORE, "not a Sigstore bundle");
    const message = messageOf(bundle);
    if ("verdict" in message) return message;
    const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
    const entries = tlogEntries.length + (timestampVerificationData?.rfc3161Timestamps.length ?? 0);
    if (!effort.charge("entries", entries)) return tooMuch();
    if (effort.contentDigest(message.digest, data) !== message.imprint)
      return refuse("EKEYREJECTED", SIGSTORE, "the bundle is for other data: the digests differ");
    const signer = this.#signerOf(bundle, data, message, effort);
    if ("verdict" in signer) return signer;
    const refused =
      this.keyring.blockList.key(signer.key) ??
      checkEntries(bundle, signer) ??
      this.#checkBlockedLogs(bundle) ??
      this.#checkLogs(bundle, data, signer, window);
    if (refused !== null) return refused;
    const path = this.#checkCertificate(bundle, signer, window, effort);
    if ("verdict" in path) return path;
    return [{ ...signer.identity, name: signer.name, key: signer.key, path }];
  }

  #signerOf(bundle: Bundle, data: Uint8Array, message: Message, effort: Effort): BundleSigner | Refusal {
    const { content } = bundle.verificationMaterial;
    if (content.$case === "publicKey") {
      const key = this.keyring.keys.find((known) => verifies(known, data, message, effort) === null);
      if (key === undefined)
        return refuse(
          "ENOKEY",
          SIGSTORE,
          `none of the keyring's ${this.keyring.keys.length} public keys signed the bundle`,
        );
      return { name: `key ${key.fingerprint}`, key, identity: NAMELESS, certificate: null };
    }
    const raw = content.$case === "certificate" ? content.certificate : content.x509CertificateChain.certificates[0];
    const der = Buffer.from(raw?.rawBytes ?? []);
    const certificate = effort.certificate(der.length, () => new Certificate(der));
    if (effort.spent) return tooMuch();
    const wrong = verifies(certificate.publicKey, data, message, effort);
    if (wrong !== null) return wrong;
    const found = identityOf(certificate);
    const { subject, issuer } = found;
    if (!this.#identities.some((wanted) => wanted.subject === subject && wanted.issuer === issuer))
      return refuse(
        "ENOKEY",
        `${SIGSTORE} identity`,
        `${quoted(subject)}, by ${quoted(issuer)}, is not among the identities`,
      );
    const identity = { ...NAMELESS, subject, issuer };
    return { name: printable(`${subject} by ${issuer}`), key: certificate.publicKey, identity, certificate };
  }

  /** The block list can revoke the key of a log. */
  #checkBlockedLogs(bundle: Bundle): Refusal | null {
    for (const { logId } of bundle.verificationMaterial.tlogEntries)
      for (const { logID, publicKey } of this.#material.tlogs) {
        if (!logId.keyId.equals(logID)) continue;
        const refusal = this.keyring.blockList.fingerprint(fingerprintOf(publicKey), "a log's key");
        if (refusal !== null) return refusal;
      }
    return null;
  }

  /** The root without blocked logs and revoked time-stamping authorities. */
  #materialNow(window: Window): TrustMaterial {
    const { tlogs, ctlogs, timestampAuthorities } = this.#material;
    const isGoodLog = ({ publicKey }: (typeof tlogs)[number]): boolean =>
      this.keyring.blockList.fingerprint(fingerprintOf(publicKey), "a log's key") === null;
    const isGoodChain = (chain: readonly Certificate[]): boolean => {
      const index = new CertificateIndex(chain);
      return chain.every((certificate) => {
        const found = findPath(certificate, index, index, this.#stampRules, window);
        return !("verdict" in found && found.verdict === -ERRNO.EKEYREVOKED);
      });
    };
    return {
      ...this.#material,
      tlogs: tlogs.filter(isGoodLog),
      ctlogs: ctlogs.filter(isGoodLog),
      timestampAuthorities: timestampAuthorities.filter((_, index) => isGoodChain(this.#stampChains[index] ?? [])),
    };
  }

  /** Sigstore's library verifies the inclusion in a log, its time, and the certificate transparency log entry. */
  #checkLogs(bundle: Bundle, data: Uint8Array, { key }: BundleSigner, window: Window): Refusal | null {
    const { toSignedEntity, Verifier } = library();
    const publicKey = () => ({
      publicKey: createPublicKey({ key: key.spki.whole, format: "der", type: "spki" }),
      validFor: () => true,
    });
    const material = { ...this.#materialNow(window), publicKey };
    try {
      const ctlogThreshold = material.ctlogs.length > 0 ? 1 : 0;
      new Verifier(material, { tlogThreshold: 1, ctlogThreshold, timestampThreshold: 1 }).verify(
        toSignedEntity(bundle, Buffer.from(data)),
      );
      return null;
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      if (typeof code === "string" && error instanceof Error && /_ERROR$/.test(code))
        return refuse("EKEYREJECTED", `${SIGSTORE} ${code}`, `the bundle does not verify: ${message}`);
      return refuse("EBADMSG", SIGSTORE, "the bundle is malformed");
    }
  }

  /**
   * Validates the certificate path by RFC 5280 at each time that a log or a time stamp gives; the library checks less.
   * The path is empty if a key signed.
   */
  #checkCertificate(
    bundle: Bundle,
    { certificate }: BundleSigner,
    window: Window,
    effort: Effort,
  ): CertificatePath | Refusal {
    let path: CertificatePath = [];
    if (certificate === null) return path;
    for (const at of new Set(momentsOf(bundle))) {
      if (!window.reached(at)) return refuse("EKEYREJECTED", SIGSTORE, "the bundle's time is in the future");
      const then = new Window(window.at, { at, outlivesRevocation: false });
      const found = findPath(certificate, this.#anchors, new CertificateIndex([]), this.#rules, then, null, effort);
      if ("verdict" in found) return found;
      path = identitiesOf(found.path);
    }
    return path;
  }
}

/** What is used of the keyring that has the root. */
interface SigstoreKeyring {
  readonly rules: KeyringRules;
  /** Public keys that may sign bundles. */
  readonly keys: readonly PublicKey[];
  readonly blockList: BlockList;
  pathRules(rules: KeyringRules, anchors: readonly Certificate[], place: string): PathRules;
}

/** The largest root file, in bytes. */
const MAX_ROOT = 1024 * 1024;

interface BundleSigner {
  readonly name: string;
  readonly key: PublicKey;
  readonly identity: SignerIdentity;
  /** Null if a key of the keyring signed. */
  readonly certificate: Certificate | null;
}

interface Root {
  readonly material: TrustMaterial;
  readonly authorities: readonly Certificate[];
  readonly stampChains: readonly (readonly Certificate[])[];
}

function readRoot({ path, bytes }: SigstoreRules["root"]): Root {
  const { TrustedRoot, toTrustMaterial } = library();
  try {
    if (bytes.length > MAX_ROOT) throw new RangeError("too large");
    const root = TrustedRoot.fromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
    const chainsOf = (list: typeof root.certificateAuthorities): Certificate[][] =>
      list.map(({ certChain }) => (certChain?.certificates ?? []).map(({ rawBytes }) => readCertificate(rawBytes)));
    const authorities = chainsOf(root.certificateAuthorities).flat();
    const stampChains = chainsOf(root.timestampAuthorities);
    const material = toTrustMaterial(root);
    const endless = [...root.tlogs, ...root.ctlogs].find((log) => log.publicKey?.validFor?.start === undefined);
    if (endless !== undefined)
      throw invalidRoot(path, `has the log \`${endless.baseUrl}\` without a start of validity`);
    if (material.tlogs.length > 0) return { material, authorities, stampChains };
  } catch (cause) {
    throw cause instanceof CountersignError && cause.code === "KEYRING_INVALID"
      ? cause
      : invalidRoot(path, "is not a Sigstore trusted root", cause);
  }
  throw invalidRoot(path, "names no log");
}

function invalidRoot(place: string, message: string, cause?: unknown): CountersignError {
  const remedy = "give the JSON that `cosign trusted-root create` writes";
  return new CountersignError("KEYRING_INVALID", message, { place, remedy, cause });
}

function fingerprintOf(key: KeyObject): string {
  return hash("sha256", key.export({ type: "spki", format: "der" }));
}

function verifies(key: PublicKey, data: Uint8Array, { digest, signature }: Message, effort: Effort): Refusal | null {
  const known = key.rawScheme;
  if (known === null) return key.problem ?? refuse("ENOPKG", "algorithm allow-list", "a key that does not sign");
  const scheme: Scheme = known.digest === null ? known : { ...known, digest };
  return key.verify(scheme, data, signature, SIGSTORE, effort);
}

const ISSUER = oid("1.3.6.1.4.1.57264.1.8");
const OLD_ISSUER = oid("1.3.6.1.4.1.57264.1.1");

/** The subject alternative name and the OIDC issuer of a Fulcio certificate, which has exactly one such name. */
function identityOf(certificate: Certificate): { subject: string; issuer: string } {
  const { subjectAltNames: names } = certificate;
  const [name] = names;
  const plain = names.length === 1 && name !== undefined && name.kind !== "mailbox";
  const subject = plain && typeof name.value === "string" ? name.value : "";
  const issuer =
    certificate.read(ISSUER, ({ value }) => readDer(value.contents, TAG.utf8String, "an issuer").contents) ??
    certificate.read(OLD_ISSUER, ({ value }) => value.contents) ??
    Buffer.alloc(0);
  return { subject, issuer: issuer.toString("utf8") };
}

/** Whether each log entry names the same key. The library compares only the signature and the digest. */
function checkEntries(bundle: Bundle, { key, certificate }: BundleSigner): Refusal | null {
  for (const { canonicalizedBody } of bundle.verificationMaterial.tlogEntries) {
    const entered = enteredKey(canonicalizedBody);
    const same = entered !== null && (entered.equals(key.spki.whole) || certificate?.der.equals(entered) === true);
    if (!same) return refuse("EKEYREJECTED", `${SIGSTORE} log entry`, "the log entry names another key");
  }
  return null;
}
