/**
 * The file of a list of files. All integers are little-endian.
 *
 *     0   24  `countersign files` and a line feed, then zero
 *     24   4  FILE_LIST_VERSION
 *     28   4  GUARD_VERSION of guard/interface.h
 *     32   4  bits of RULES: the kinds of files that must be listed; MODULES_BY_TICKET
 *     36   4  number of modules, whose digests follow the header
 *     40   4  number of executables, whose digests follow those of modules
 *     44   4  zero
 *     48  32  SHA-256 of all digests
 *
 * A digest has 32 bytes. Those of each kind ascend. The list of programs, whose header has this file's SHA-256, says by
 * which configuration both were built.
 */
export const FILE_LIST_MAGIC = "countersign files\n";
export const FILE_LIST_VERSION = 2;
export const HEADER_SIZE = 80;
export const HEADER = {
  version: 24,
  guardVersion: 28,
  rules: 32,
  modules: 36,
  executables: 40,
  reserved: 44,
  digests: 48,
} as const;

/** GUARD_RULE_… of guard/interface.h. */
export const RULES = { modules: 1, executables: 2 } as const;

/** GUARD_RULE_MODULES_BY_TICKET. */
export const MODULES_BY_TICKET = 4;

/** The kinds of files that a list can have. */
export type FileKind = keyof typeof RULES;

/** A list that has been read and checked. */
export interface FileList {
  /** Of each kind the digests in ascending order, byte after byte; null if files of this kind need not be listed. */
  readonly digests: Readonly<Record<FileKind, Buffer | null>>;
  /** Whether the agent may load modules that are not listed. */
  readonly modulesByTicket: boolean;
  /** SHA-256 of the whole file in lower-case hex: equal for equal rules and digests. */
  readonly sha256: string;
}
