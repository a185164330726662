import type { Bundle } from "@sigstore/bundle";
import { BUNDLE, runInstalled } from "../../installed.js";
import { readPem } from "../asn1/pem.js";
import { type Refusal, refuse } from "../base/refusal.js";

/** Parses Sigstore bundles with Sigstore's own libraries. Nothing is verified here. */

/** The rule that a refusal names. */
export const SIGSTORE = "sigstore";

type Library = typeof import("./library.js");

let loaded: Library | null = null;

/** Loads the libraries at first use, since few keyrings need them. */
export function library(): Library {
  loaded ??= runInstalled(`${BUNDLE}sigstore.cjs`) as Library;
  return loaded;
}

/** The signature over data in a bundle. */
export interface Message {
  /** One of DIGESTS. */
  readonly digest: string;
  /** The digest of the data, in hex. */
  readonly imprint: string;
  readonly signature: Buffer;
}

/** Null if the bytes are not a bundle, or exceed a limit. */
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

/**
 * The library puts the names of a checkpoint's signers into a regular expression, so only names without special
 * characters, such as host names and paths, are accepted.
 */
function hasPlainCheckpoint({ inclusionProof }: Bundle["verificationMaterial"]["tlogEntries"][number]): boolean {
  const signers = inclusionProof?.checkpoint?.envelope.matchAll(/\u2014 (\S+) /g) ?? [];
  const names = Array.from(signers, ([, name = ""]) => name);
  return names.length <= MAX_ENTRIES && names.every((name) => /^[A-Za-z0-9._:/-]{1,200}$/.test(name));
}

/** Digest names, keyed by the numbers of Sigstore's HashAlgorithm. */
const DIGEST_NAMES: Readonly<Record<number, string>> = { 1: "sha256", 2: "sha384", 3: "sha512" };

export function messageOf({ content }: Bundle): Message | Refusal {
  // A DSSE envelope signs a statement about the data, which may say anything, so it is no signature over the data
  if (content.$case !== "messageSignature")
    return refuse("EBADMSG", SIGSTORE, "the bundle signs a statement (DSSE), not the data");
  const { messageDigest, signature } = content.messageSignature;
  const digest = DIGEST_NAMES[messageDigest.algorithm];
  if (digest === undefined) return refuse("ENOPKG", "algorithm allow-list", "the bundle's digest is not supported");
  return { digest, imprint: messageDigest.digest.toString("hex"), signature };
}

/** Real bundles have fewer. Each entry costs verifications. */
const MAX_ENTRIES = 8;
/** The DER of the certificate or SubjectPublicKeyInfo in a `hashedrekord` entry of version 0.0.1 or 0.0.2. */
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

/** The times that logs and time stamps give for the bundle, in milliseconds since the epoch. */
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
