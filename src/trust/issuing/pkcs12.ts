import { createPrivateKey, type KeyObject } from "node:crypto";
import type { PFX, SafeContents } from "pkijs";
import { CountersignError } from "../../error.js";
import type { SourceFile } from "../model/keyring-rules.js";
import { type Certificate, readCertificate } from "../x509/certificate.js";
import { publicPart } from "./private-key.js";

/** The contents of a PKCS#12 file (RFC 7292). */
export interface Pkcs12 {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly Certificate[];
}

/** A key with the certificate of its public key, and the other certificates in the file. */
export interface Pkcs12Identity {
  readonly key: KeyObject;
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
}

/**
 * Opens a PKCS#12 file that is encrypted with PBES2, as OpenSSL 3 and GnuTLS write it. No trust decision depends on it.
 * Throws KEY_MALFORMED or CERTIFICATE_MALFORMED with the file.
 */
export async function readPkcs12({ path, bytes }: SourceFile, passphrase: string | null): Promise<Pkcs12> {
  try {
    const opened = await open(bytes, passphrase ?? "");
    return contentsOf(opened);
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause.within(path);
    throw wrong(path, passphrase, cause);
  }
}

/** The only key of a file and its certificate. Throws KEY_MALFORMED unless there is exactly one key. */
export async function readPkcs12Identity(file: SourceFile, passphrase: string | null): Promise<Pkcs12Identity> {
  const { keys, certificates } = await readPkcs12(file, passphrase);
  const [key, another] = keys;
  const spki = key === undefined ? null : publicPart(key);
  const certificate = certificates.find(({ publicKey }) => spki !== null && publicKey.spki.whole.equals(spki));
  if (key !== undefined && another === undefined && certificate !== undefined)
    return { key, certificate, chain: certificates.filter((one) => one !== certificate) };
  throw new CountersignError("KEY_MALFORMED", "does not hold exactly one key with its certificate", {
    place: file.path,
    remedy: "export one key and its certificate with `openssl pkcs12 -export`",
  });
}

/**
 * The most iterations of the key derivation. OpenSSL's default is 2,048, GnuTLS's is 600,000; a higher count can only
 * be a denial-of-service attempt.
 */
const MAX_ROUNDS = 5_000_000;
/** The most safe contents, and the most bags; no tool writes more. */
const MAX_PARTS = 64;

async function open(bytes: Uint8Array, passphrase: string): Promise<PFX> {
  const { EncryptedData, PFX, PKCS8ShroudedKeyBag } = await import("pkijs");
  const password = Uint8Array.from(Buffer.from(passphrase, "utf8")).buffer;
  const pfx = PFX.fromBER(Uint8Array.from(bytes));
  bounded(pfx.macData?.iterations ?? 1);
  await pfx.parseInternalValues({ password, checkIntegrity: pfx.macData !== undefined });
  const safe = pfx.parsedValue?.authenticatedSafe;
  if (safe === undefined || safe.safeContents.length > MAX_PARTS) throw new RangeError("no contents");
  for (const { contentType, content } of safe.safeContents)
    if (contentType === ENCRYPTED_DATA)
      await checkRounds(EncryptedData.fromBER(content.toBER()).encryptedContentInfo.contentEncryptionAlgorithm);
  await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) });
  for (const bag of bagsOf(safe.parsedValue.safeContents)) {
    const { bagValue } = bag;
    if (!(bagValue instanceof PKCS8ShroudedKeyBag)) continue;
    await checkRounds(bagValue.encryptionAlgorithm);
    await (bagValue as unknown as Shrouded).parseInternalValues({ password });
  }
  return pfx;
}

function contentsOf(pfx: PFX): Pkcs12 {
  const keys: KeyObject[] = [];
  const certificates: Certificate[] = [];
  for (const { bagId, bagValue } of bagsOf(pfx.parsedValue?.authenticatedSafe?.parsedValue.safeContents ?? [])) {
    const value = bagValue as { parsedValue?: Schema; toSchema(): { toBER(): ArrayBuffer } };
    if (bagId === KEY_BAG || bagId === SHROUDED_KEY_BAG)
      keys.push(
        createPrivateKey({
          key: derOf(bagId === KEY_BAG ? value : (value.parsedValue as Schema)),
          format: "der",
          type: "pkcs8",
        }),
      );
    else if (bagId === CERTIFICATE_BAG) certificates.push(readCertificate(derOf(value.parsedValue as Schema)));
  }
  return { keys, certificates };
}

/** Bag types (RFC 7292 4.2). */
const KEY_BAG = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";

interface Schema {
  toSchema(): { toBER(): ArrayBuffer };
}

interface Algorithm {
  readonly algorithmId: string;
  readonly algorithmParams?: { toBER(): ArrayBuffer };
}

/** The library's types declare this method protected, and there is no other way to open a key's bag. */
interface Shrouded {
  parseInternalValues(parameters: { password: ArrayBuffer }): Promise<void>;
}

const derOf = (value: Schema): Buffer => Buffer.from(value.toSchema().toBER());

function bagsOf(contents: readonly { value: SafeContents }[]): SafeContents["safeBags"] {
  const bags = contents.flatMap(({ value }) => value.safeBags);
  if (bags.length > MAX_PARTS) throw new RangeError("too many parts");
  return bags;
}

/**
 * Checks the iterations of PBKDF2 (RFC 8018 A.2) in an encrypted part. pkijs modifies the objects that it parses, so
 * this parses a copy.
 */
async function checkRounds(algorithm: Algorithm): Promise<void> {
  const { PBES2Params, PBKDF2Params } = await import("pkijs");
  if (algorithm.algorithmId !== PBES2 || algorithm.algorithmParams === undefined) throw new RangeError(OLD_WAY);
  const { keyDerivationFunc } = PBES2Params.fromBER(algorithm.algorithmParams.toBER());
  bounded(PBKDF2Params.fromBER(keyDerivationFunc.algorithmParams.toBER()).iterationCount);
}

const PBES2 = "1.2.840.113549.1.5.13";
/** Content type of encrypted data (RFC 5652 8). */
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const OLD_WAY = "not PBES2";

function bounded(rounds: number): void {
  if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) throw new RangeError("too many rounds");
}

function wrong(place: string, passphrase: string | null, cause: unknown): CountersignError {
  const message =
    cause instanceof RangeError && cause.message === OLD_WAY
      ? "is encrypted with an algorithm other than PBES2"
      : passphrase === null
        ? "does not open without a passphrase"
        : "does not open with this passphrase, or is not PKCS#12";
  const remedy = "give its passphrase in a file with --passphrase-file, or export an old file again with OpenSSL 3";
  return new CountersignError("KEY_MALFORMED", message, { place, remedy, cause });
}
