/**
 * A Sigstore of its own: an authority, a log of two entries with its key, and bundles as `cosign sign-blob` writes
 * them.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { element, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION, oid } from "../../src/trust/asn1/oid.js";
import { Authority, extension, type Issued } from "../../src/trust/issuing/authority.js";

export interface Identity {
  readonly subject: string;
  readonly issuer: string;
}

/** What a bundle says; every part may be made to lie. */
export interface BundleClaims {
  readonly data: Uint8Array;
  /** Seconds since the epoch at which the log entered it. */
  readonly at: number;
  /** Who signs: by a certificate, or with a key of one's own. */
  readonly by: Issued | KeyObject;
  /** What the log says was signed, and by whom, where that is not the truth. */
  readonly entered?: { readonly digest?: string; readonly key?: Buffer };
  /** Whose log key signs the entry. */
  readonly log?: KeyObject;
  readonly checkpointName?: string;
}

const START = Date.UTC(2020, 0, 1);
const END = Date.UTC(2040, 0, 1);
const LOG = "log.example.org";
const sha256 = (...parts: readonly (Uint8Array | string)[]): Buffer =>
  parts.reduce((digest, part) => digest.update(part), createHash("sha256")).digest();
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

export class Sigstore {
  readonly authority = Authority.create({ subject: "Authority", notBefore: START, notAfter: END });
  readonly log = generateKeyPairSync("ec", { namedCurve: "P-256" });

  /** A certificate for ten minutes from `at` on (seconds), as Fulcio issues them. */
  certificate({ subject, issuer }: Identity, at: number, usage: readonly string[] | null = ["codeSigning"]): Issued {
    const name = element(subject.includes("@") ? 0x81 : 0x86, Buffer.from(subject));
    return this.authority.issue({
      subject: [],
      notBefore: at * 1000,
      notAfter: (at + 600) * 1000,
      usage,
      extensions: [
        extension(EXTENSION.subjectAltName, sequence(name), true),
        extension(oid("1.3.6.1.4.1.57264.1.8"), element(0x0c, Buffer.from(issuer))),
      ],
    });
  }

  /** TrustedRoot in JSON. */
  get root(): object {
    const validFor = { start: new Date(START).toISOString() };
    return {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [
        {
          baseUrl: `https://${LOG}`,
          hashAlgorithm: "SHA2_256",
          publicKey: { rawBytes: base64(spki(this.log.publicKey)), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
          logId: { keyId: base64(this.logId) },
        },
      ],
      certificateAuthorities: [
        {
          subject: { organization: "example.org", commonName: "Authority" },
          uri: "https://ca.example.org",
          certChain: { certificates: [{ rawBytes: base64(this.authority.certificate.der) }] },
          validFor,
        },
      ],
      ctlogs: [],
      timestampAuthorities: [],
    };
  }

  bundle(claims: BundleClaims): Record<string, unknown> {
    const { data, at, by, entered = {} } = claims;
    const issued = "certificate" in by ? by : null;
    const key = issued === null ? (by as KeyObject) : issued.key;
    const signature = sign("sha256", data, key);
    const publicKey = spki(createPublicKey(key));
    const label = issued === null ? "PUBLIC KEY" : "CERTIFICATE";
    const der = entered.key ?? issued?.certificate.der ?? publicKey;
    const pem = `-----BEGIN ${label}-----\n${base64(der).replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
    const body = JSON.stringify({
      apiVersion: "0.0.1",
      kind: "hashedrekord",
      spec: {
        data: { hash: { algorithm: "sha256", value: entered.digest ?? sha256(data).toString("hex") } },
        signature: { content: base64(signature), publicKey: { content: base64(pem) } },
      },
    });
    const material =
      issued === null
        ? { publicKey: { hint: base64(sha256(publicKey)) } }
        : { certificate: { rawBytes: base64(issued.certificate.der) } };
    return {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { ...material, tlogEntries: [this.#entry(body, at, claims)] },
      messageSignature: {
        messageDigest: { algorithm: "SHA2_256", digest: base64(sha256(data)) },
        signature: base64(signature),
      },
    };
  }

  get logId(): Buffer {
    return sha256(spki(this.log.publicKey));
  }

  #entry(body: string, at: number, { log = this.log.privateKey, checkpointName = LOG }: BundleClaims): object {
    const promise = JSON.stringify({
      body: base64(body),
      integratedTime: at,
      logID: this.logId.toString("hex"),
      logIndex: 1,
    });
    const sibling = sha256(Buffer.of(0), "another entry");
    const rootHash = sha256(Buffer.of(1), sibling, sha256(Buffer.of(0), body));
    const note = `${LOG}\n2\n${base64(rootHash)}\n`;
    const signed = Buffer.concat([this.logId.subarray(0, 4), sign("sha256", Buffer.from(note), log)]);
    return {
      logIndex: "1",
      logId: { keyId: base64(this.logId) },
      kindVersion: { kind: "hashedrekord", version: "0.0.1" },
      integratedTime: String(at),
      inclusionPromise: { signedEntryTimestamp: base64(sign("sha256", Buffer.from(promise), log)) },
      inclusionProof: {
        logIndex: "1",
        rootHash: base64(rootHash),
        treeSize: "2",
        hashes: [base64(sibling)],
        checkpoint: { envelope: `${note}\n\u2014 ${checkpointName} ${base64(signed)}\n` },
      },
      canonicalizedBody: base64(body),
    };
  }
}
