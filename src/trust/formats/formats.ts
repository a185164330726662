import type { SignatureFormat } from "./format.js";
import { MINISIGN } from "./minisign.js";
import { MODSIG } from "./modsig.js";
import { PKCS7 } from "./pkcs7.js";
import { RAW } from "./raw.js";
import { SIGSTORE } from "./sigstore.js";
import { SSHSIG } from "./sshsig.js";

/** One row for each signature type. */
export const FORMATS = { PKCS7, MODSIG, RAW, SSHSIG, MINISIGN, SIGSTORE } as const satisfies Readonly<
  Record<string, SignatureFormat>
>;

export type SignatureType = keyof typeof FORMATS;

/** The rows of the table, for what is the same for all formats. */
export const ROWS: readonly SignatureFormat[] = Object.values(FORMATS);

/** The formats of key files. */
export const KEY_FILES = ROWS.flatMap(({ keys }) => (keys === null ? [] : [keys]));
