import { readInput } from "../../../input.js";
import { type List, MAX_LIST, parseList } from "../../../seal/list.js";
import { readListFile, within } from "../../../seal/list-file.js";
import { programSigners } from "../../../seal/program-signers.js";
import type { SealOptions } from "../../../seal/sealing.js";
import { TrustedKey } from "../../../seal/trusted-key.js";

/** Help of the option that names the trusted key. */
export const TRUSTED_KEY = "the certificate that signs lists, PEM or DER (default: none, lists are taken as they are)";

/** Help of the option that names the certificates whose signatures allow programs. */
export const SIGNERS = "certificates, PEM or DER: what one of their keys signed may be loaded (default: none)";

/** Certificates for the kernel's keyrings. Throws errors of {@link programSigners}. */
export function readSigners(file: string | undefined): NonNullable<SealOptions["keys"]> {
  return file === undefined ? {} : { programs: programSigners({ path: file, bytes: readInput(file) }) };
}

/** The list of a file, whoever signed it; null if no file is named. Throws FILE_… and SEAL_LIST_… errors. */
export function readList(file: string | undefined): List | null {
  return file === undefined ? null : within(file, () => parseList(readInput(file, MAX_LIST)));
}

/**
 * The list and the trusted key of two files, each null if none is named. With a trusted key the list must be signed
 * with it. Throws as {@link readListFile}, errors of {@link TrustedKey} and SEAL_LIST_UNSIGNED.
 */
export function readSignedList(
  file: string | undefined,
  certificate: string | undefined,
): { readonly list: List | null; readonly trustedKey: TrustedKey | null } {
  const trustedKey =
    certificate === undefined ? null : new TrustedKey({ path: certificate, bytes: readInput(certificate) });
  if (file === undefined || trustedKey === null) return { list: readList(file), trustedKey };
  const { list, signature } = readListFile(file);
  within(file, () => trustedKey.requireSigned(list, signature, Date.now()));
  return { list, trustedKey };
}

/** `3 entries of generation 7`. */
export function titleOfList(list: List | null): string {
  if (list === null) return "no list: every program is denied";
  return `list with ${list.header.entries} entries, generation ${list.header.generation}`;
}
