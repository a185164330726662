import { existsSync } from "node:fs";
import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import type { SignatureFormat } from "./formats/format.js";
import { FORMATS, ROWS } from "./formats/formats.js";
import { MAX_SIGNATURE } from "./formats/pkcs7.js";

/** What is appended to the signed file's name, in the order in which the files are looked for. */
const ENDINGS: ReadonlySet<string> = new Set(ROWS.flatMap(({ endings }) => endings.slice(0, 1)));

/** The signature in a file beside `path`; null if there is none. Throws as {@link readSignature}. */
export function signatureBeside(path: string): Uint8Array | null {
  const beside = [...ENDINGS].map((ending) => path + ending).find((candidate) => existsSync(candidate));
  return beside === undefined ? null : readSignature(beside);
}

/**
 * Reads a detached signature file of the type that its ending says; with another ending it must be CMS. Throws
 * DER_MALFORMED for CMS that is damaged. Other types are checked when a policy verifies them.
 */
export function readSignature(path: string): Uint8Array {
  const bytes = readInput(path, MAX_SIGNATURE);
  const format = ROWS.find(({ endings }) => endings.some((ending) => path.endsWith(ending))) ?? FORMATS.PKCS7;
  return wellFormed(path, bytes, format);
}

/** Throws DER_MALFORMED, with `place`, for a damaged signature file. */
export function wellFormed(
  place: string,
  signature: Uint8Array,
  { check }: SignatureFormat = FORMATS.PKCS7,
): Uint8Array {
  try {
    check?.(signature);
    return signature;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    throw new CountersignError(error.code, `is not a signature: ${error.message}`, {
      place: error.place === undefined ? place : `${place}: ${error.place}`,
      remedy: "name a detached CMS in DER, as `countersign sign` and `openssl cms -sign -binary -outform DER` make it",
      cause: error,
    });
  }
}
