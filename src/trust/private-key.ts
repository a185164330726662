import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { CountersignError } from "../error.js";
import type { SourceFile } from "./keyring-rules.js";
import { isPem } from "./pem.js";

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

/** The SubjectPublicKeyInfo of a private key, in DER. */
export function publicPart(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
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
