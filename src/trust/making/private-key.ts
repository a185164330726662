import { constants, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { CountersignError } from "../../error.js";
import { isPem } from "../asn1/pem.js";
import type { SourceFile } from "../keyring-rules.js";

/**
 * A private key from PEM or DER: PKCS#8, PKCS#1 or SEC1, encrypted ones with their passphrase. Throws KEY_MALFORMED with the file.
 */
export function readPrivateKey({ path, bytes }: SourceFile, passphrase: string | null = null): KeyObject {
  const secret = passphrase === null ? {} : { passphrase };
  const key = Buffer.from(bytes);
  if (isPem(bytes)) return attempt(path, passphrase, [() => createPrivateKey({ key, format: "pem", ...secret })]);
  return attempt(
    path,
    passphrase,
    (["pkcs8", "pkcs1", "sec1"] as const).map(
      (type) => () => createPrivateKey({ key, format: "der", type, ...secret }),
    ),
  );
}

/** A private key that is elsewhere, such as in a token. */
export interface RemoteKey {
  readonly publicKey: KeyObject;
  /** `digest` is null where the algorithm takes the message whole; `saltLength` is for RSASSA-PSS alone, null otherwise. */
  readonly sign: (digest: string | null, bytes: Uint8Array, saltLength: number | null) => Buffer;
}

export type SigningKey = KeyObject | RemoteKey;

export function publicKeyOf(key: SigningKey): KeyObject {
  return "publicKey" in key ? key.publicKey : createPublicKey(key);
}

/** The SubjectPublicKeyInfo of a private key, in DER. */
export function publicPart(key: SigningKey): Buffer {
  return publicKeyOf(key).export({ type: "spki", format: "der" });
}

/** A bare signature by a key, wherever it is: one of a key that is elsewhere is checked. Throws SIGNING_FAILED. */
export function signWith(
  key: SigningKey,
  digest: string | null,
  bytes: Uint8Array,
  saltLength: number | null = null,
): Buffer {
  const padding = saltLength === null ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  if (!("publicKey" in key)) return sign(digest, bytes, { key, ...padding });
  const signature = key.sign(digest, bytes, saltLength);
  if (verify(digest, bytes, { key: key.publicKey, ...padding }, signature)) return signature;
  throw new CountersignError("SIGNING_FAILED", "what the key made is no signature by it", {
    remedy: "give the certificate of the key that is meant",
  });
}

function attempt(path: string, passphrase: string | null, readers: readonly (() => KeyObject)[]): KeyObject {
  let cause: unknown;
  for (const read of readers) {
    try {
      return read();
    } catch (error) {
      cause = error;
      if (/passphrase|interrupted|bad decrypt/i.test(String(error)))
        throw new CountersignError(
          "KEY_MALFORMED",
          passphrase === null ? "is encrypted" : "does not open with this passphrase",
          {
            place: path,
            remedy: "give its passphrase in a file with --passphrase-file",
            cause,
          },
        );
    }
  }
  throw new CountersignError("KEY_MALFORMED", "is no private key that can be read", {
    place: path,
    remedy: "give PKCS#8, PKCS#1 or SEC1 in PEM or DER, as `openssl genpkey` writes it",
    cause,
  });
}
