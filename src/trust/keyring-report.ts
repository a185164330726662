import { ERRNO } from "../errno.js";
import { readSignedData } from "./cms/cms.js";
import { Generation } from "./generation.js";
import type { KeyringRules } from "./keyring-rules.js";
import type { Refusal } from "./refusal.js";
import { type RejectedCertificate, readMaterial } from "./source.js";
import { Window } from "./window.js";
import { Certificate } from "./x509/certificate.js";
import { type Crl, undetermined } from "./x509/crl.js";
import { KEY_USAGE } from "./x509/extension.js";

/** One thing that a keyring holds, or that counts by it, at a moment. */
export interface KeyringEntry {
  readonly kind:
    | "certificate"
    /** One that cannot be read, and so is not used. */
    | "rejected certificate"
    | "key"
    | "ssh key"
    | "minisign key"
    | "revocation list"
    | "time-stamping authority"
    | "signature";
  /** The subject, the principals, the key's id, the issuer, or a signature's file. */
  readonly name: string;
  /** `P-256` …; how many a revocation list revokes; empty where there is nothing to say. */
  readonly detail: string;
  /** SHA-256 of a certificate or of a public key, in hex; null for others. */
  readonly fingerprint: string | null;
  /** Milliseconds since the epoch until which it counts; null for ever, or where it does not count now. */
  readonly until: number | null;
  /** Why it does not count, or null. */
  readonly refusal: Refusal | null;
  /** What becomes of it at `until`; null where that is nothing. */
  readonly afterwards: Refusal | null;
}

/**
 * What a keyring holds and how long each part of it counts, by the very rules that signatures are judged by. Throws as
 * {@link openKeyring}.
 */
export class KeyringReport {
  readonly #generation: Generation;

  constructor(readonly rules: KeyringRules) {
    this.#generation = new Generation(1, rules);
  }

  /** Everything that the keyring's own files hold, in their order. */
  entries(at: number): readonly KeyringEntry[] {
    const { trust, revoked, timestamps } = this.rules;
    const { certificates, keys, ssh, minisign, rejected } = readMaterial(trust, "anchors");
    const stamps = readMaterial(timestamps?.trust ?? [], "anchors");
    const lists = readMaterial(revoked.crls, "crls");
    const known = [...certificates, ...stamps.certificates, ...lists.certificates];
    return [
      ...certificates.map((certificate) => this.#certificate(certificate, at)),
      ...keys.map((key) => plain("key", key.fingerprint, key)),
      ...ssh.map((signer) => ({ ...plain("ssh key", signer.name, signer.key), ...within(signer, at) })),
      ...minisign.map(({ id, key }) => plain("minisign key", id, key)),
      ...lists.crls.map((crl) => ({ ...revocationList(crl, at, revoked.freshness), ...misplaced(crl, known) })),
      ...[...rejected, ...stamps.rejected].map(rejectedCertificate),
      ...stamps.certificates.map((certificate) => this.#timeStamps(certificate, at)),
    ];
  }

  /** Whether a detached CMS would still count, as far as its certificates go: what it is over is not looked at. */
  signature(name: string, cms: Uint8Array, at: number): KeyringEntry {
    const { certificates, signers } = readSignedData(cms);
    const carried = certificates.map((element) => new Certificate(Buffer.from(element.whole)));
    const found = signers.map(({ identifier }) =>
      [...carried, ...identifier.in(this.#generation.anchors)].find((candidate) => identifier.names(candidate)),
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
    const refusal = entry.refusal ?? this.#generation.timeStamps?.revoked(certificate, new Window(at)) ?? null;
    return refusal === null ? entry : { ...entry, refusal, until: null, afterwards: null };
  }

  #judge(targets: readonly Certificate[], carried: readonly Certificate[], at: number): Judged {
    const judge = (moment: number): { refusal: Refusal | null; until: number } => {
      const window = new Window(moment);
      let refusal: Refusal | null = null;
      for (const target of targets) refusal ??= this.#generation.path(target, carried, window, null);
      return { refusal, until: window.until };
    };
    const { refusal, until } = judge(at);
    if (refusal !== null) return { refusal, until: null, afterwards: null };
    // A moment at which something changes need not be one at which this ends: a list that is past may be missed by
    // nobody
    let end = until;
    for (let step = 0; step < MAX_STEPS && Number.isFinite(end); step++) {
      const next = judge(end);
      if (next.refusal !== null) return { refusal, until: end, afterwards: next.refusal };
      end = next.until;
    }
    return { refusal, until: null, afterwards: null };
  }
}

/** Moments that are looked at for one entry: each certificate and list on its way has two. */
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

function within({ validBefore }: { validBefore: number }, at: number): Partial<KeyringEntry> {
  if (!Number.isFinite(validBefore)) return {};
  const refusal = expired("the line's `valid-before` is past");
  return at < validBefore ? { until: validBefore, afterwards: refusal } : { refusal };
}

/** What is left of a list out of its time where none is asked for. */
const ONLY_NAMED = "what it names stays revoked, but nothing says what was revoked since";

/**
 * A list that speaks of nobody: none of the keyring's certificates may sign it, or did, or it has extensions that are
 * not understood.
 */
function misplaced(crl: Crl, known: readonly Certificate[]): Partial<KeyringEntry> {
  const isOf = ({ subject, keyUsage, publicKey }: Certificate): boolean =>
    subject.equals(crl.issuer) &&
    (keyUsage === null || (keyUsage & KEY_USAGE.crlSign) !== 0) &&
    crl.signedBy(publicKey) === null;
  const reason = crl.unusable
    ? "it has a critical extension that is not known"
    : known.some(isOf)
      ? null
      : "no certificate of the keyring signed it: it counts only where a signature carries the certificate that did";
  return reason === null ? {} : { refusal: undetermined(reason), until: null, afterwards: null };
}

function revocationList(
  crl: { nextUpdate: number | null; size: number; toString(): string },
  at: number,
  freshness: "require" | "if-present" = "if-present",
): KeyringEntry {
  const { nextUpdate, size } = crl;
  const what = freshness === "require" ? "nothing that it is about verifies any more" : ONLY_NAMED;
  const past = expired(`the next list is due, and ${what}`);
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
  const past = expired("its certificate has ended, and its time stamps count no more");
  const entry = plain("time-stamping authority", String(certificate), publicKey);
  return at > notAfter ? { ...entry, refusal: past } : { ...entry, until: notAfter + 1000, afterwards: past };
}
