/**
 * Lists: the programs that the guard lets load on one kernel. A detached CMS signature over the header signs the list.
 */
import { createHash } from "node:crypto";
import { CountersignError } from "../error.js";
import { CLASSES_SIZE, encodeClasses, type GuardClasses, NO_CLASSES } from "./classes/class-table.js";
import { checkedClasses } from "./list/check-classes.js";
import { decodeTables } from "./list/check-tables.js";
import { ENTRY_SIZE, type ListEntry, RECORD_SIZE } from "./list/list-entry.js";
import {
  decodeHeader,
  encodeHeader,
  GUARD_VERSION,
  HEADER,
  HEADER_SIZE,
  LIST_MAGIC,
  LIST_VERSION,
  type ListHeader,
  NO_FILES,
  RELEASE_SIZE,
} from "./list/list-header.js";
import { encodeTables, type ListTables } from "./list/list-tables.js";

export type { ListEntry, ListMap } from "./list/list-entry.js";
export { NO_FILES } from "./list/list-header.js";
export { referenceDigest } from "./list/reference-digest.js";

/** What a list is for; without `files`, there is no list of files. */
export type ListOrigin = Pick<ListHeader, "generation" | "kernelBtf" | "configuration" | "release"> &
  Partial<Pick<ListHeader, "files">>;

/** A list that has been read and checked. */
export interface List {
  readonly header: ListHeader;
  readonly entries: readonly ListEntry[];
  /** The header's bytes, which a signature of the list covers. */
  readonly signed: Uint8Array;
  /** As the guard reads them. */
  readonly tables: ListTables;
  readonly classes: GuardClasses;
  /** SHA-256 of the whole file in lower-case hex. */
  readonly sha256: string;
}

/** The most entries of a list, and its greatest size in bytes. */
const MAX_ENTRIES = 2 ** 20;
export const MAX_LIST = 256 * 2 ** 20;

/** The bytes of a list file. Throws SEAL_LIST_UNSUPPORTED if it has too many entries. */
export function encodeList(
  entries: readonly ListEntry[],
  origin: ListOrigin,
  classes: GuardClasses = NO_CLASSES,
): Buffer {
  const tables = encodeTables(entries);
  const classTable = encodeClasses(classes);
  const count = tables.entries.length / ENTRY_SIZE;
  const bytes = Buffer.concat([
    encodeHeader({
      files: NO_FILES,
      ...origin,
      entries: count,
      records: tables.records.length / RECORD_SIZE,
      tables: digestOf(tables),
      classes: sha256(classTable),
    }),
    tables.entries,
    tables.records,
    classTable,
  ]);
  if (count <= MAX_ENTRIES && bytes.length <= MAX_LIST) return bytes;
  throw new CountersignError(
    "SEAL_LIST_UNSUPPORTED",
    `it would have ${count} entries, where ${MAX_ENTRIES} is the most`,
    {
      remedy: "name fewer objects",
    },
  );
}

/**
 * Reads a list file. Throws SEAL_LIST_MALFORMED, and SEAL_LIST_UNSUPPORTED for a file of another version or with types
 * that this version does not know. Its signature is not checked here.
 */
export function parseList(bytes: Uint8Array): List {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = checkedHeader(buffer);
  const middle = HEADER_SIZE + header.entries * ENTRY_SIZE;
  const end = buffer.length - CLASSES_SIZE;
  const tables = { entries: buffer.subarray(HEADER_SIZE, middle), records: buffer.subarray(middle, end) };
  const classTable = buffer.subarray(end);
  if (digestOf(tables) !== header.tables) throw malformed("header", "has another SHA-256 of the tables than they have");
  if (sha256(classTable) !== header.classes)
    throw malformed("header", "has another SHA-256 of the classes than they have");
  return {
    header,
    entries: decodeTables(tables),
    signed: signedPart(buffer),
    tables,
    classes: checkedClasses(classTable),
    sha256: sha256(buffer),
  };
}

/** What a signature of a list covers: the header, which has the SHA-256 of the tables and of the classes. */
export function signedPart(list: Uint8Array): Uint8Array {
  return list.subarray(0, HEADER_SIZE);
}

/** Requires that a list is for a kernel, by the SHA-256 of that kernel's BTF. Throws SEAL_LIST_OTHER_KERNEL. */
export function requireKernel({ header }: List, kernelBtf: string, release: string): void {
  if (header.kernelBtf === kernelBtf) return;
  const built = header.release === "" ? "another kernel" : `the kernel ${header.release}`;
  throw new CountersignError("SEAL_LIST_OTHER_KERNEL", `it was built for ${built}, and this is ${release}`, {
    place: "header",
    remedy: "build a list with the BTF of this kernel: `countersign seal build --btf /sys/kernel/btf/vmlinux`",
  });
}

function checkedHeader(bytes: Buffer): ListHeader {
  const begins = bytes.toString("latin1", 0, HEADER.version);
  if (begins !== LIST_MAGIC.padEnd(HEADER.version, "\0")) throw malformed("header", "does not begin as a list does");
  if (bytes.length < HEADER_SIZE) throw malformed("header", "ends too early");
  const [version, guard] = [bytes.readUInt32LE(HEADER.version), bytes.readUInt32LE(HEADER.guardVersion)];
  if (version !== LIST_VERSION || guard !== GUARD_VERSION)
    throw new CountersignError(
      "SEAL_LIST_UNSUPPORTED",
      `is of version ${version} for guards of version ${guard}; ` +
        `this Countersign has ${LIST_VERSION} and ${GUARD_VERSION}`,
      { place: "header", remedy: "build and read the list with the same version of Countersign" },
    );
  const header = decodeHeader(bytes);
  const { entries, records } = header;
  if (entries > MAX_ENTRIES || bytes.length > MAX_LIST)
    throw new CountersignError("SEAL_LIST_UNSUPPORTED", `has ${entries} entries, where ${MAX_ENTRIES} is the most`, {
      place: "header",
      remedy: "build a list of fewer objects",
    });
  const size = HEADER_SIZE + entries * ENTRY_SIZE + records * RECORD_SIZE + CLASSES_SIZE;
  if (bytes.length !== size)
    throw malformed(
      "header",
      `has ${entries} entries and ${records} records, which take ${size} bytes, not ${bytes.length}`,
    );
  const name = Buffer.alloc(RELEASE_SIZE);
  name.write(header.release, "utf8");
  if (!name.equals(bytes.subarray(HEADER.release, HEADER.files)))
    throw malformed("header", "has bytes after the release");
  return header;
}

function digestOf({ entries, records }: ListTables): string {
  return createHash("sha256").update(entries).update(records).digest("hex");
}

/** The SHA-256 that the header of a list has of its classes, in lower-case hex. */
export function classesDigest(classes: GuardClasses): string {
  return sha256(encodeClasses(classes));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function malformed(place: string, message: string): CountersignError {
  return new CountersignError("SEAL_LIST_MALFORMED", message, {
    place,
    remedy: "build the list again with `countersign seal build`",
  });
}
