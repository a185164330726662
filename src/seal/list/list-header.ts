/**
 * The header of a list file. All integers are little-endian.
 *
 *     0   24  `countersign list` and a line feed, then zero
 *     24   4  LIST_VERSION
 *     28   4  GUARD_VERSION of guard/interface.h
 *     32   8  generation: of two lists, the guard keeps the one with the greater number
 *     40   4  number of entries, which follow the header
 *     44   4  number of records, which follow the entries
 *     48  32  SHA-256 of the kernel's BTF (/sys/kernel/btf/vmlinux)
 *     80  32  SHA-256 of entries and records
 *     112 32  SHA-256 of the configuration
 *     144 64  the kernel's release for people, in UTF-8, then zero; empty if it is not known
 *     208 32  SHA-256 of the list of files that belongs to it (seal/files.ts); zero if there is none
 *     240 32  SHA-256 of the classes, which follow the records
 */
export interface ListHeader {
  readonly generation: bigint;
  readonly entries: number;
  readonly records: number;
  /** These three are in lower-case hex. */
  readonly kernelBtf: string;
  readonly tables: string;
  readonly configuration: string;
  readonly release: string;
  /** Zeros if there is no list of files. */
  readonly files: string;
  /** In lower-case hex. */
  readonly classes: string;
}

/** The SHA-256 of no list of files. */
export const NO_FILES = "00".repeat(32);

export const LIST_VERSION = 1;
/** GUARD_VERSION of guard/interface.h. */
export const GUARD_VERSION = 2;
export const LIST_MAGIC = "countersign list\n";
export const HEADER_SIZE = 272;
export const HEADER = {
  version: 24,
  guardVersion: 28,
  generation: 32,
  entries: 40,
  records: 44,
  kernelBtf: 48,
  tables: 80,
  configuration: 112,
  release: 144,
  files: 208,
  classes: 240,
} as const;
export const RELEASE_SIZE = HEADER.files - HEADER.release;

export function encodeHeader(header: ListHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE);
  bytes.write(LIST_MAGIC, 0, "latin1");
  bytes.writeUInt32LE(LIST_VERSION, HEADER.version);
  bytes.writeUInt32LE(GUARD_VERSION, HEADER.guardVersion);
  bytes.writeBigUInt64LE(header.generation, HEADER.generation);
  bytes.writeUInt32LE(header.entries, HEADER.entries);
  bytes.writeUInt32LE(header.records, HEADER.records);
  bytes.write(header.kernelBtf, HEADER.kernelBtf, "hex");
  bytes.write(header.tables, HEADER.tables, "hex");
  bytes.write(header.configuration, HEADER.configuration, "hex");
  // Buffer.write writes whole characters only
  bytes.write(header.release, HEADER.release, RELEASE_SIZE, "utf8");
  bytes.write(header.files, HEADER.files, "hex");
  bytes.write(header.classes, HEADER.classes, "hex");
  return bytes;
}

/** The header of at least HEADER_SIZE bytes, whose magic and versions the caller has checked. */
export function decodeHeader(bytes: Buffer): ListHeader {
  const hex = (at: number) => bytes.toString("hex", at, at + 32);
  const release = bytes.subarray(HEADER.release, HEADER.files);
  const end = release.indexOf(0);
  return {
    generation: bytes.readBigUInt64LE(HEADER.generation),
    entries: bytes.readUInt32LE(HEADER.entries),
    records: bytes.readUInt32LE(HEADER.records),
    kernelBtf: hex(HEADER.kernelBtf),
    tables: hex(HEADER.tables),
    configuration: hex(HEADER.configuration),
    release: release.toString("utf8", 0, end === -1 ? RELEASE_SIZE : end),
    files: hex(HEADER.files),
    classes: hex(HEADER.classes),
  };
}
