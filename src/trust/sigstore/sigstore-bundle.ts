import type { Bundle } from "@sigstore/bundle";
import { BUNDLE, runInstalled } from "../../installed.js";
import { readPem } from "../asn1/pem.js";
import { type Refusal, refuse } from "../refusal.js";

/** What a bundle of Sigstore says, read by the project's own libraries; nothing is verified here. */

/** The rule that a refusal names. */
export const SIGSTORE = "sigstore";

type Library = typeof import("./library.js");

let loaded: Library | null = null;

/** Loaded at first use: few keyrings need it. */
export function library(): Library {
  loaded ??= runInstalled(`${BUNDLE}sigstore.cjs`) as Library;
  return loaded;
}

/** A signature over data as a bundle carries it. */
export interface Message {
  /** A name of DIGESTS. */
  readonly digest: string;
  /** In hex. */
  readonly imprint: string;
  readonly signature: Buffer;
}

/** Null for what is none, or is more than is looked into. */
export function readBundle(bytes: Uint8Array): Bundle | null {
  try {
    const bundle = library().bundleFromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
    const { tlogEntries, timestampVerificationData, content } = bundle.verificationMaterial;
    const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
    const modest = tlogEntries.length <= MAX_ENTRIES && stamps.length <= MAX_ENTRIES;
    return content !== undefined && modest && tlogEntries.every(hasPlainCheckpoint) ? bundle : null;
  } catch {
    return null;
  }
}

/** The library takes names of a checkpoint's signers as regular expressions: those of logs are host names and paths. */
function hasPlainCheckpoint({ inclusionProof }: Bundle["verificationMaterial"]["tlogEntries"][number]): boolean {
  const signers = inclusionProof?.checkpoint?.envelope.matchAll(/\u2014 (\S+) /g) ?? [];
  const names = Array.from(signers, ([, name = ""]) => name);
  return names.length <= MAX_ENTRIES && names.every((name) => /^[A-Za-z0-9._:/-]{1,200}$/.test(name));
}

/** RFC 8017 and FIPS 186-5 digests, by the numbers of Sigstore's HashAlgorithm. */
const DIGEST_NAMES: Readonly<Record<number, string>> = { 1: "sha256", 2: "sha384", 3: "sha512" };

export function messageOf({ content }: Bundle): Message | Refusal {
  // A statement about something says what it says, which need not be anything good
  if (content.$case !== "messageSignature")
    return refuse("EBADMSG", SIGSTORE, "the bundle is a statement (DSSE) and no signature over the data");
  const { messageDigest, signature } = content.messageSignature;
  const digest = DIGEST_NAMES[messageDigest.algorithm];
  if (digest === undefined) return refuse("ENOPKG", "algorithm allow-list", "the bundle's digest is not supported");
  return { digest, imprint: messageDigest.digest.toString("hex"), signature };
}

/** More than any bundle has; each costs verifications. */
const MAX_ENTRIES = 8;
/** A certificate or a SubjectPublicKeyInfo, in DER, out of a `hashedrekord` of version 0.0.1 or 0.0.2. */
export function enteredKey(body: Buffer): Buffer | null {
  try {
    const { spec } = JSON.parse(body.toString("utf8"));
    const pem = spec?.signature?.publicKey?.content;
    if (typeof pem === "string") return readPem(Buffer.from(pem, "base64"))[0]?.bytes ?? null;
    const verifier = spec?.hashedRekordV002?.signature?.verifier;
    const raw = verifier?.x509Certificate?.rawBytes ?? verifier?.publicKey?.rawBytes;
    return typeof raw === "string" ? Buffer.from(raw, "base64") : null;
  } catch {
    return null;
  }
}

/** When logs and time stamps say that the bundle was there, in milliseconds since the epoch. */
export function momentsOf({ verificationMaterial }: Bundle): readonly number[] {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  const promised = tlogEntries.filter(({ inclusionPromise }) => inclusionPromise !== undefined);
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return [
    ...promised.map(({ integratedTime }) => Number(integratedTime) * 1000),
    ...stamps.map(({ signedTimestamp }) =>
      library().RFC3161Timestamp.parse(Buffer.from(signedTimestamp)).signingTime.getTime(),
    ),
  ];
}
