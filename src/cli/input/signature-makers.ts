import { CountersignError } from "../../error.js";
import { writePem } from "../../trust/asn1/pem.js";
import { FORMATS, type SignatureType } from "../../trust/formats/formats.js";
import { publicPart } from "../../trust/issuing/private-key.js";
import {
  type AnyIdentity,
  type SigningOptions,
  signKernel,
  signModule,
  signPkcs7,
} from "../../trust/issuing/sign-cms.js";
import { minisignLine, signMinisign } from "../../trust/issuing/sign-minisign.js";
import { signRaw } from "../../trust/issuing/sign-raw.js";
import { signSshsig, sshLine } from "../../trust/issuing/sign-sshsig.js";
import { openKeyring, type SourceFile } from "../../trust/keyring.js";
import type { Verification } from "../../trust/model/verification.js";
import { keyOf, minisignKeyOf, type SignerOptions, signersOf } from "./signers.js";

/** The options of `countersign sign` for the signatures. */
export interface MakerOptions extends SignerOptions {
  readonly usage?: readonly string[];
  readonly ignoreValidity?: true;
  readonly digest?: string;
  readonly pss?: true;
  readonly namespace?: string;
  readonly comment?: string;
}

/** Makes signatures of one type with the given signers. */
export interface Maker {
  /** `name` is the name of the signed file, for signature types that record it. */
  readonly make: (data: Uint8Array, name: string) => Buffer;
  /** The certificates or keys that a keyring must trust to verify the signatures. */
  readonly trust: readonly SourceFile[];
}

interface MakerKind {
  readonly verifiedAs: SignatureType;
  /** Reads the keys. Throws USAGE, KEY_MALFORMED, CERTIFICATE_MALFORMED. */
  readonly open: (options: MakerOptions) => Promise<Maker>;
}

export const MAKERS = {
  pkcs7: { verifiedAs: "PKCS7", open: (options) => openCms(options, signPkcs7) },
  kernel: { verifiedAs: "PKCS7", open: (options) => openCms(options, single(signKernel)) },
  modsig: { verifiedAs: "MODSIG", open: (options) => openCms(options, single(signModule)) },
  raw: { verifiedAs: "RAW", open: openRaw },
  sshsig: { verifiedAs: "SSHSIG", open: openSshsig },
  minisign: { verifiedAs: "MINISIGN", open: openMinisign },
} as const satisfies Readonly<Record<string, MakerKind>>;

export type MakerName = keyof typeof MAKERS;

/** What is appended to the file's name for the file with the signature. */
export function suffixOf(name: MakerName): string {
  const { detached, endings } = FORMATS[MAKERS[name].verifiedAs];
  return detached ? (endings[0] as string) : SIGNED;
}

/** Suffix of a file that contains its own signature. */
const SIGNED = ".signed";

/** What is signed. */
export interface SignedData {
  readonly data: Uint8Array;
  /** The SHA-256 of the object that a program statement is about; null if the data are no statement. */
  readonly statement: { readonly objectSha256: string } | null;
}

/** Throws SIGNING_FAILED if a keyring that trusts only the signers rejects the signature. */
export function checkVerifies(
  type: SignatureType,
  { data, statement }: SignedData,
  signature: Uint8Array,
  trust: readonly SourceFile[],
  { usage = ["codeSigning"], ignoreValidity, namespace = NAMESPACE }: MakerOptions,
): void {
  const keyring = openKeyring("signers", {
    trust,
    revoked: { crls: [], certificates: [], digests: [] },
    usage,
    validity: ignoreValidity === true ? "ignore" : "now",
    ssh: { namespaces: [namespace] },
  });
  const verify = (): Verification => {
    if (statement !== null) return keyring.verifyStatement({ bytes: data, ...statement }, signature, type, Date.now());
    if (FORMATS[type].detached) return keyring.verify(data, signature, type, Date.now());
    return keyring.verify(signature, null, type, Date.now());
  };
  const { verdict, reason, rule } = verify();
  if (verdict === 0) return;
  throw new CountersignError("SIGNING_FAILED", `the signature would be rejected: ${reason} [${rule}]`, {
    remedy: "sign with a certificate for this; --usage and --ignore-validity are for keyrings with such rules",
  });
}

/** Default namespace: the one that ssh-keygen(1) names for files, and that keyrings accept by default. */
const NAMESPACE = "file";

type CmsMaker = (data: Uint8Array, identities: readonly AnyIdentity[], options: SigningOptions) => Buffer;

/** Signature types that the kernel reads hold one signer. */
function single(make: (data: Uint8Array, identity: AnyIdentity, options: SigningOptions) => Buffer): CmsMaker {
  return (data, identities, options) => {
    if (identities.length === 1) return make(data, identities[0] as AnyIdentity, options);
    throw usage("the kernel's signatures have one signer", "give one --key and one --cert");
  };
}

async function openCms(options: MakerOptions, make: CmsMaker): Promise<Maker> {
  const { digest, pss, digestOnly, attach } = options;
  const identities = await signersOf(options);
  const signing: SigningOptions = {
    ...(digest === undefined ? {} : { digest }),
    ...(pss === undefined ? {} : { pss }),
    // --digest-only and --attach must sign the same bytes, so the signing time is left out.
    ...(digestOnly === undefined && attach === undefined ? {} : { at: null }),
  };
  return {
    make: (data) => make(data, identities, signing),
    trust: identities.map(({ certificate }) => ({ path: String(certificate), bytes: certificate.der })),
  };
}

async function openRaw(options: MakerOptions): Promise<Maker> {
  refuseDigest(options);
  const key = keyOf(options);
  return { make: (data) => signRaw(data, key), trust: [text(writePem("PUBLIC KEY", publicPart(key)))] };
}

async function openSshsig(options: MakerOptions): Promise<Maker> {
  refuseDigest(options);
  const key = keyOf(options);
  return {
    make: (data) => signSshsig(data, key, options.namespace ?? NAMESPACE),
    trust: [text(sshLine(key))],
  };
}

async function openMinisign(options: MakerOptions): Promise<Maker> {
  refuseDigest(options);
  const identity = minisignKeyOf(options);
  const comment = (name: string): string =>
    options.comment ?? `timestamp:${Math.floor(Date.now() / 1000)}\tfile:${name}\thashed`;
  return { make: (data, name) => signMinisign(data, identity, comment(name)), trust: [text(minisignLine(identity))] };
}

/** The key determines the digest of a signature type that does not record one. */
function refuseDigest({ digest, pss }: MakerOptions): void {
  if (digest === undefined && pss === undefined) return;
  throw usage("--digest and --pss are for signatures with certificates", "leave them out: the key decides");
}

function text(line: string): SourceFile {
  return { path: "the signer's key", bytes: Buffer.from(line) };
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
