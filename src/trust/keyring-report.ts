import { ERRNO } from "../errno.js";
import type { Refusal } from "./base/refusal.js";
import { Window } from "./base/window.js";
import { readSignedData } from "./cms/cms.js";
import type { FileKey } from "./formats/format.js";
import { KEY_FILES } from "./formats/formats.js";
import { PKCS7 } from "./formats/pkcs7.js";
import { KeyringVersion } from "./keyring/keyring-version.js";
import type { KeyringRules } from "./model/keyring-rules.js";
import { keysOf, type RejectedCertificate, readMaterial } from "./source/source.js";
import { Certificate } from "./x509/certificate.js";
import { type Crl, undetermined } from "./x509/crl.js";
import { KEY_USAGE } from "./x509/extension.js";

/** One item that a keyring holds, or a signature under it, as judged at one time. */
export interface KeyringEntry {
  /**
   * `certificate`, `rejected certificate` (one that cannot be parsed and is not used), `key`, a kind of KEY_FILES,
   * `revocation list`, `time-stamping authority`, or `signature`.
   */
  readonly kind: string;
  /** The subject, the principals, the key's id, the issuer, or the path of a signature. */
  readonly name: string;
  /** The key type, such as `P-256`; for a revocation list, the number of entries; empty if there is nothing to add. */
  readonly detail: string;
  /** SHA-256 of a certificate or of a public key, in hex; null for other kinds. */
  readonly fingerprint: string | null;
  /** When it stops being accepted, in milliseconds since the epoch; null if never, or if it is not accepted now. */
  readonly until: number | null;
  /** Why it is not accepted; null if it is. */
  readonly refusal: Refusal | null;
  /** Why it will not be accepted from `until` on; null if `until` is null. */
  readonly afterwards: Refusal | null;
}

/**
 * Lists what a keyring holds and until when each item is accepted, under the same rules as verification. Throws as
 * {@link openKeyring}.
 */
export class KeyringReport {
  readonly #version: KeyringVersion;

  constructor(readonly rules: KeyringRules) {
    this.#version = new KeyringVersion(1, rules);
  }

  /** Everything in the keyring's own files, in their order. */
  entries(at: number): readonly KeyringEntry[] {
    const { trust, revoked, timestamps } = this.rules;
    const { certificates, rejected } = readMaterial(trust, "anchors");
    const stamps = readMaterial(timestamps?.trust ?? [], "anchors");
    const lists = readMaterial(revoked.crls, "crls");
    const known = [...certificates, ...stamps.certificates, ...lists.certificates];
    return [
      ...this.trusted(at),
      ...lists.crls.map((crl) => ({ ...revocationList(crl, at, revoked.freshness), ...misplaced(crl, known) })),
      ...[...rejected, ...stamps.rejected].map(rejectedCertificate),
      ...stamps.certificates.map((certificate) => this.#timeStamps(certificate, at)),
    ];
  }

  /** The certificates and keys that may sign, without those that cannot be read. */
  trusted(at: number): readonly KeyringEntry[] {
    const material = readMaterial(this.rules.trust, "anchors");
    return [
      ...material.certificates.map((certificate) => this.#certificate(certificate, at)),
      ...material.keys.map((key) => plain("key", key.fingerprint, key)),
      ...KEY_FILES.flatMap((file) => keysOf(material, file).map((key) => fileKey(file.kind, key, at))),
    ];
  }

  /** The subjects of the certificates in `trust` that may issue others. */
  authorities(): readonly string[] {
    const { certificates } = readMaterial(this.rules.trust, "anchors");
    return certificates.filter(({ basicConstraints }) => basicConstraints?.authority === true).map(String);
  }

  /**
   * Whether the certificates of a file with detached CMS signatures are still accepted: those of the signature that is
   * accepted longest. The signatures themselves are not verified.
   */
  signature(name: string, file: Uint8Array, at: number): KeyringEntry {
    const judged = PKCS7.several.split(file).map((message) => this.#message(name, message, at));
    return judged.reduce((best, one) => (acceptedUntil(one) > acceptedUntil(best) ? one : best));
  }

  #message(name: string, cms: Uint8Array, at: number): KeyringEntry {
    const { certificates, signers } = readSignedData(cms);
    const carried = certificates.map((element) => new Certificate(Buffer.from(element.whole)));
    const found = signers.map(({ identifier }) =>
      [...carried, ...identifier.in(this.#version.anchors)].find((candidate) => identifier.names(candidate)),
    );
    const known = found.filter((certificate) => certificate !== undefined);
    const detail = known.map(String).join("; ");
    const entry = { kind: "signature", name, detail, fingerprint: null } as const;
    if (known.length < signers.length) return { ...entry, until: null, refusal: NOBODY, afterwards: null };
    return { ...entry, ...this.#judge(known, carried, at) };
  }

  #certificate(certificate: Certificate, at: number): KeyringEntry {
    const { publicKey } = certificate;
    const judged = this.#judge([certificate], [], at);
    return { ...plain("certificate", String(certificate), publicKey), ...judged };
  }

  #timeStamps(certificate: Certificate, at: number): KeyringEntry {
    const entry = timeStamps(certificate, at);
    const refusal = entry.refusal ?? this.#version.timeStamps?.revoked(certificate, new Window(at)) ?? null;
    return refusal === null ? entry : { ...entry, refusal, until: null, afterwards: null };
  }

  #judge(targets: readonly Certificate[], carried: readonly Certificate[], at: number): Judged {
    const judge = (moment: number): { refusal: Refusal | null; until: number } => {
      const window = new Window(moment);
      let refusal: Refusal | null = null;
      for (const target of targets) {
        const outcome = this.#version.checkPath(target, carried, window, null, this.#version.effort());
        if ("verdict" in outcome) refusal ??= outcome;
      }
      return { refusal, until: window.until };
    };
    const { refusal, until } = judge(at);
    if (refusal !== null) return { refusal, until: null, afterwards: null };
    // A window ends where any input changes, which need not change the verdict: nothing may depend on an expired list,
    // for example. So look on until the verdict changes
    let end = until;
    for (let step = 0; step < MAX_STEPS && Number.isFinite(end); step++) {
      const next = judge(end);
      if (next.refusal !== null) return { refusal, until: end, afterwards: next.refusal };
      end = next.until;
    }
    return { refusal, until: null, afterwards: null };
  }
}

/** When an entry stops being accepted, in milliseconds since the epoch; -Infinity if it is not accepted now. */
export function acceptedUntil({ refusal, until }: KeyringEntry): number {
  return refusal === null ? (until ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
}

/** The most window ends to examine for one entry: each certificate and list on a path has two. */
const MAX_STEPS = 256;

type Judged = Pick<KeyringEntry, "refusal" | "until" | "afterwards">;

const NOBODY: Refusal = {
  verdict: -ERRNO.ENOKEY,
  rule: "RFC 5652 5.3",
  reason: "its signer is not in the keyring",
};

function plain(
  kind: KeyringEntry["kind"],
  name: string,
  key: { description: string; fingerprint: string; problem: Refusal | null },
): KeyringEntry {
  const { description, fingerprint, problem } = key;
  return { kind, name, detail: description, fingerprint, until: null, refusal: problem, afterwards: null };
}

const expired = (reason: string): Refusal => ({ verdict: -ERRNO.EKEYEXPIRED, rule: "validity", reason });

function fileKey(
  kind: string,
  { name, key, validBefore = Number.POSITIVE_INFINITY }: FileKey,
  at: number,
): KeyringEntry {
  const entry = plain(kind, name, key);
  if (!Number.isFinite(validBefore)) return entry;
  const refusal = expired("the key's `valid-before` time has passed");
  return at < validBefore ? { ...entry, until: validBefore, afterwards: refusal } : { ...entry, refusal };
}

/** The effect of an expired list if the keyring does not require fresh lists. */
const ONLY_NAMED = "its entries stay revoked, but later revocations are unknown";

/**
 * The refusal for a list that applies to no certificate of the keyring: none of them may have signed it, or it has an
 * unknown critical extension.
 */
function misplaced(crl: Crl, known: readonly Certificate[]): Partial<KeyringEntry> {
  const isOf = ({ subject, keyUsage, publicKey }: Certificate): boolean =>
    subject.equals(crl.issuer) &&
    (keyUsage === null || (keyUsage & KEY_USAGE.crlSign) !== 0) &&
    crl.signedBy(publicKey) === null;
  const reason = crl.unusable
    ? "it has an unknown critical extension"
    : known.some(isOf)
      ? null
      : "no certificate of the keyring signed it: it is used only if a signature carries the signer's certificate";
  return reason === null ? {} : { refusal: undetermined(reason), until: null, afterwards: null };
}

function revocationList(
  crl: { nextUpdate: number | null; size: number; toString(): string },
  at: number,
  freshness: "require" | "if-present" = "if-present",
): KeyringEntry {
  const { nextUpdate, size } = crl;
  const what = freshness === "require" ? "certificates that it covers are rejected" : ONLY_NAMED;
  const past = expired(`the next list is overdue: ${what}`);
  const due = nextUpdate !== null && at >= nextUpdate;
  return {
    kind: "revocation list",
    name: String(crl),
    detail: `${size} revoked`,
    fingerprint: null,
    until: due ? null : nextUpdate,
    refusal: due ? past : null,
    afterwards: nextUpdate === null || due ? null : past,
  };
}

function rejectedCertificate({ name, error }: RejectedCertificate): KeyringEntry {
  const refusal: Refusal = {
    verdict: -ERRNO.EBADMSG,
    rule: "RFC 5280 4.1",
    reason: `${error.message} at ${error.place}`,
  };
  const entry = { kind: "rejected certificate", name, detail: "", fingerprint: null, until: null } as const;
  return { ...entry, refusal, afterwards: null };
}

function timeStamps(certificate: Certificate, at: number): KeyringEntry {
  const { publicKey, notAfter } = certificate;
  const past = expired("its certificate has expired, so its time stamps are rejected");
  const entry = plain("time-stamping authority", String(certificate), publicKey);
  return at > notAfter ? { ...entry, refusal: past } : { ...entry, until: notAfter + 1000, afterwards: past };
}
