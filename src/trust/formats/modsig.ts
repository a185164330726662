import { type Refusal, refuse } from "../base/refusal.js";
import type { Signer } from "../model/signer.js";
import type { SignatureFormat, TrustedKeyring, VerificationContext } from "./format.js";
import { verifyPkcs7 } from "./pkcs7.js";

export const MODSIG: SignatureFormat = {
  doc: "At the end of the data, as kernel modules carry it.",
  detached: false,
  endings: [],
  check: null,
  several: null,
  keys: null,
  open: (keyring) => (context: VerificationContext<Uint8Array | null>) => verifyModsig(keyring, context),
};

/**
 * Appended signatures, as on kernel modules (scripts/sign-file.c, include/linux/module_signature.h): the data, CMS in
 * DER, the 12 bytes of `struct module_signature`, and this marker.
 */
export const MODSIG_MARKER = Buffer.from("~Module signature appended~\n", "latin1");

/**
 * struct module_signature: algo, hash, id_type, signer_len, key_id_len, three bytes of padding, sig_len (big-endian).
 */
const INFO_SIZE = 12;
/**
 * PKEY_ID_PKCS7, the only kind in use. It requires every other field but sig_len to be 0 (kernel/module_signature.c).
 */
const ID_PKCS7 = 2;

export interface AppendedSignature {
  /** The signed data. */
  readonly data: Uint8Array;
  /** CMS in DER. */
  readonly cms: Uint8Array;
}

/**
 * Splits a signed file. Returns null if no signature is appended, and a refusal if the kernel would reject its header.
 */
export function splitModsig(file: Uint8Array): AppendedSignature | Refusal | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const marker = bytes.length - MODSIG_MARKER.length;
  if (marker < 0 || !bytes.subarray(marker).equals(MODSIG_MARKER)) return null;
  const info = marker - INFO_SIZE;
  if (info < 0) return refuse("EBADMSG", "mod_check_sig", "the appended signature is cut short");
  if (bytes[info + 2] !== ID_PKCS7)
    return refuse("ENOPKG", "mod_check_sig", `an appended signature of kind ${bytes[info + 2]}, which is not PKCS#7`);
  for (const field of [0, 1, 3, 4, 5, 6, 7])
    if (bytes[info + field] !== 0)
      return refuse("EBADMSG", "mod_check_sig", `byte ${field} of the signature's header is not 0`);
  const length = bytes.readUInt32BE(info + 8);
  if (length === 0 || length > info)
    return refuse("EBADMSG", "mod_check_sig", `a signature of ${length} bytes in ${info}`);
  return { data: bytes.subarray(0, info - length), cms: bytes.subarray(info - length, info) };
}

/** `data` with `cms` appended. */
export function joinModsig(data: Uint8Array, cms: Uint8Array): Buffer {
  const info = Buffer.alloc(INFO_SIZE);
  info[2] = ID_PKCS7;
  info.writeUInt32BE(cms.length, 8);
  return Buffer.concat([data, cms, info, MODSIG_MARKER]);
}

/**
 * Verifies an appended signature. `signature` is the part that was appended to `data`; if it is null, `data` is the
 * whole file. Throws DER_MALFORMED.
 */
function verifyModsig(
  keyring: TrustedKeyring,
  context: VerificationContext<Uint8Array | null>,
): readonly Signer[] | Refusal {
  const { data, signature } = context;
  const parts = splitModsig(signature ?? data);
  if (parts === null && signature === null) return refuse("ENODATA", "mod_check_sig", "no signature is appended");
  if (parts === null)
    return refuse("EBADMSG", "mod_check_sig", "the signature does not end with the marker of an appended signature");
  if ("verdict" in parts) return parts;
  if (signature !== null && parts.data.length > 0)
    return refuse("EBADMSG", "mod_check_sig", `${parts.data.length} bytes before the signature`);
  // kernel, crypto/asymmetric_keys/pkcs7_verify.c: a module's signature must not have signed attributes
  const signed = signature === null ? parts.data : data;
  return verifyPkcs7(keyring, { ...context, data: signed, signature: parts.cms }, "rejected");
}
