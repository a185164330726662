import { CountersignError } from "../../../error.js";
import { readInput } from "../../../input.js";
import { type List, MAX_LIST, parseList } from "../../../seal/list.js";
import { readListFile, within } from "../../../seal/list-file.js";
import { programSigners } from "../../../seal/program-signers.js";
import type { SealOptions } from "../../../seal/sealing.js";
import { TrustedKey } from "../../../seal/trusted-key.js";

/** Help of the option that names the list, and of the one that takes its place. */
export const LIST = "the seal list: the programs that may be loaded";
export const DENY_ALL = "seal without a list: every program is denied, but what --signers or an agent allows";

interface ListOptions {
  readonly list?: string;
  readonly denyAll?: true;
  readonly audit?: true;
  readonly openUntilLock?: string | true;
}

/**
 * Throws USAGE if nothing says which programs may be loaded: a seal lasts until the next boot. An audit denies nothing,
 * and `--open-until-lock` records what is loaded before the lock.
 */
export function requireList({ list, denyAll, audit, openUntilLock }: ListOptions): void {
  if (list !== undefined && denyAll === true)
    throw new CountersignError("USAGE", "--list and --deny-all exclude each other", {
      remedy: "leave one of them out",
    });
  if (list !== undefined || denyAll === true || audit === true || openUntilLock !== undefined) return;
  throw new CountersignError("USAGE", "a seal needs --list, or --deny-all to deny every program until the next boot", {
    remedy: "build a list with `countersign seal build`, or try `--audit` first",
  });
}

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
