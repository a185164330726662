/**
 * Lists of files: the kernel modules that the guard lets the kernel take, by their SHA-256. A list of programs has the
 * SHA-256 of the list of files that belongs to it, so that one signature covers both.
 */
import { createHash } from "node:crypto";
import { CountersignError } from "../error.js";
import {
  FILE_LIST_MAGIC,
  FILE_LIST_VERSION,
  type FileKind,
  type FileList,
  HEADER,
  HEADER_SIZE,
  MODULES_BY_TICKET,
  RULES,
} from "./files/file-list-layout.js";
import { DIGEST_SIZE } from "./list/list-entry.js";
import { GUARD_VERSION } from "./list/list-header.js";

export type { FileKind, FileList } from "./files/file-list-layout.js";

/** The most digests of one kind, and the greatest size of a list in bytes. */
const MAX_DIGESTS = 2 ** 20;
export const MAX_FILE_LIST = HEADER_SIZE + 2 * MAX_DIGESTS * DIGEST_SIZE;

export const FILE_KINDS = Object.keys(RULES) as readonly FileKind[];
const KNOWN_RULES = Object.values(RULES).reduce((bits, bit) => bits | bit, MODULES_BY_TICKET);

/** The number of digests of each kind; null if files of this kind need not be listed. */
export function countsOf(list: FileList | null): Readonly<Record<FileKind, number | null>> {
  const count = (digests: Buffer | null | undefined) => (digests ? digests.length / DIGEST_SIZE : null);
  return { modules: count(list?.digests.modules), executables: count(list?.digests.executables) };
}

/** What a list of files is made from. */
export interface ListedFiles extends Readonly<Record<FileKind, readonly string[] | null>> {
  /** Whether the agent may load modules that are not listed; without it, it may not. */
  readonly modulesByTicket?: boolean;
}

/**
 * The bytes of a list with digests in lower-case hex, in any order; `null` for a kind that needs no list. Throws
 * SEAL_LIST_UNSUPPORTED if there are too many.
 */
export function encodeFileList(digests: ListedFiles): Buffer {
  const tables = FILE_KINDS.map((kind) => {
    const sorted = [...new Set(digests[kind] ?? [])].sort();
    if (sorted.length > MAX_DIGESTS) throw tooMany(kind, sorted.length);
    return Buffer.from(sorted.join(""), "hex");
  });
  const header = Buffer.alloc(HEADER_SIZE);
  header.write(FILE_LIST_MAGIC, 0, "latin1");
  header.writeUInt32LE(FILE_LIST_VERSION, HEADER.version);
  header.writeUInt32LE(GUARD_VERSION, HEADER.guardVersion);
  const rules = FILE_KINDS.filter((kind) => digests[kind] !== null).map((kind) => RULES[kind]);
  header.writeUInt32LE(
    rules.reduce((bits, bit) => bits | bit, digests.modulesByTicket === true ? MODULES_BY_TICKET : 0),
    HEADER.rules,
  );
  for (const [index, kind] of FILE_KINDS.entries())
    header.writeUInt32LE(tables[index]!.length / DIGEST_SIZE, HEADER[kind]);
  const all = Buffer.concat(tables);
  header.write(sha256(all), HEADER.digests, "hex");
  return Buffer.concat([header, all]);
}

/** Reads a list of files. Throws SEAL_LIST_MALFORMED, and SEAL_LIST_UNSUPPORTED for one of another version. */
export function parseFileList(bytes: Uint8Array): FileList {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString("latin1", 0, HEADER.version) !== FILE_LIST_MAGIC.padEnd(HEADER.version, "\0"))
    throw malformed("header", "does not begin as a list of files does");
  if (buffer.length < HEADER_SIZE) throw malformed("header", "ends too early");
  const word = (at: number) => buffer.readUInt32LE(at);
  if (word(HEADER.version) !== FILE_LIST_VERSION || word(HEADER.guardVersion) !== GUARD_VERSION)
    throw new CountersignError(
      "SEAL_LIST_UNSUPPORTED",
      `is of version ${word(HEADER.version)} for guards of version ${word(HEADER.guardVersion)}; ` +
        `this Countersign has ${FILE_LIST_VERSION} and ${GUARD_VERSION}`,
      { place: "header", remedy: "build and read the list with the same version of Countersign" },
    );
  const rules = word(HEADER.rules);
  if ((rules & ~KNOWN_RULES) !== 0) throw malformed("header", `has unknown rules in ${rules}`);
  const modulesByTicket = (rules & MODULES_BY_TICKET) !== 0;
  if (modulesByTicket && (rules & RULES.modules) === 0)
    throw malformed("header", "has tickets for modules, which it says need not be listed");
  if (word(HEADER.reserved) !== 0) throw malformed("header", "has reserved bytes that are not zero");
  const counts = FILE_KINDS.map((kind) => word(HEADER[kind]));
  const size = HEADER_SIZE + counts.reduce((sum, count) => sum + count, 0) * DIGEST_SIZE;
  if (buffer.length !== size)
    throw malformed("header", `has ${counts.join(" and ")} digests, which take ${size} bytes, not ${buffer.length}`);
  if (sha256(buffer.subarray(HEADER_SIZE)) !== buffer.toString("hex", HEADER.digests, HEADER_SIZE))
    throw malformed("header", "has another SHA-256 of the digests than they have");
  let at = HEADER_SIZE;
  const tables = FILE_KINDS.map((kind, index) => {
    const table = buffer.subarray(at, at + counts[index]! * DIGEST_SIZE);
    at += table.length;
    if (counts[index]! > MAX_DIGESTS) throw tooMany(kind, counts[index]!);
    requireOrder(table, kind);
    if ((rules & RULES[kind]) !== 0) return [kind, table] as const;
    if (table.length > 0) throw malformed("header", `has ${kind}, which it says need not be listed`);
    return [kind, null] as const;
  });
  return {
    digests: Object.fromEntries(tables) as FileList["digests"],
    modulesByTicket,
    sha256: sha256(buffer),
  };
}

/**
 * Requires that a list of files is the one that a list of programs was built with: `expected` is the SHA-256 in its
 * header. Throws SEAL_FILES_MISMATCH.
 */
export function requireFiles(files: FileList | null, expected: string | null): void {
  if ((files?.sha256 ?? null) === expected) return;
  const message =
    expected === null
      ? "the list of programs was built without a list of files"
      : files === null
        ? "the list of programs was built with a list of files, and none is named"
        : "the list of programs was built with another list of files";
  throw new CountersignError("SEAL_FILES_MISMATCH", message, {
    place: "header",
    remedy: "name the two files that one run of `countersign seal build` wrote",
  });
}

function requireOrder(table: Buffer, kind: FileKind): void {
  for (let at = DIGEST_SIZE; at < table.length; at += DIGEST_SIZE)
    if (table.compare(table, at, at + DIGEST_SIZE, at - DIGEST_SIZE, at) !== -1)
      throw malformed(`${kind} ${at / DIGEST_SIZE}`, "is not greater than the digest before it");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function tooMany(kind: FileKind, count: number): CountersignError {
  return new CountersignError("SEAL_LIST_UNSUPPORTED", `it would have ${count} ${kind}; ${MAX_DIGESTS} is the most`, {
    remedy: "name fewer files",
  });
}

function malformed(place: string, message: string): CountersignError {
  return new CountersignError("SEAL_LIST_MALFORMED", message, {
    place,
    remedy: "build the list again with `countersign seal build`",
  });
}
