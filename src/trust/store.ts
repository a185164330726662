import { closeSync, constants, fstatSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ERRNO, errorName } from "../errno.js";
import { CountersignError } from "../error.js";
import { readFull } from "../read-full.js";
import type { Several, SignatureFormat } from "./formats/format.js";
import { FORMATS, type SignatureType } from "./formats/formats.js";
import { MAX_SIGNATURE } from "./formats/pkcs7.js";

/** A folder of signatures. */
export interface SignatureFolder {
  /** The path in the configuration, for messages. */
  readonly path: string;
  /**
   * Opens a file in the folder for reading, without blocking on a FIFO; returns a negative errno on failure. The caller
   * must close it with {@link close}.
   */
  open(name: string): number;
  /**
   * Closes a file that {@link open} opened. In a worker thread, node warns when it closes an fd that it did not open,
   * so an fd from a system call must be closed by one.
   */
  close(fd: number): void;
  /** The names of the statements in it, as {@link statementNames} finds them. */
  statements(): readonly string[];
}

/** A signature over data of which the store has only the digest, with its type by the ending of its file. */
export interface StoredSignature {
  readonly type: SignatureType;
  readonly bytes: Uint8Array;
}

/**
 * Detached signatures in folders, named by the SHA-256 of the signed data: `<sha256>.p7s`, or `<first two
 * digits>/<sha256>.p7s` in large folders. A lookup opens a file by name and never lists a folder, so its time does not
 * depend on the number of signatures.
 */
export class SignatureStore {
  constructor(private readonly folders: readonly SignatureFolder[]) {}

  /** Folders whose paths are resolved at each lookup. Throws FILE_UNREADABLE if one is missing or is not a folder. */
  static open(directories: readonly string[]): SignatureStore {
    return new SignatureStore(signatureFolders(directories));
  }

  /**
   * The signatures of each type over the statement with this SHA-256, of all folders: `<sha256>.sig`, and
   * `<sha256>.statement.sig`, as ssh-keygen and others name them. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  ofStatement(digest: string): readonly StoredSignature[] {
    return DETACHED.flatMap(({ type, ending }) =>
      filesOf(
        type,
        [ending, `.statement${ending}`]
          .flatMap((one) => this.#named(digest, one))
          .filter((bytes) => type !== "SSHSIG" || isSshSignature(bytes)),
      ).map((bytes) => ({ type, bytes })),
    );
  }

  /**
   * The signatures over the data with this SHA-256, given in lower-case hex, of all folders, one after the other; null
   * if there is none. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  find(digest: string): Uint8Array | null {
    if (this.folders.length === 0) return null;
    return filesOf("PKCS7", this.#named(digest, ".p7s"))[0] ?? null;
  }

  #named(digest: string, ending: string): readonly Uint8Array[] {
    if (!SHA256.test(digest)) return [];
    return this.folders.flatMap((folder) => {
      for (const name of [`${digest}${ending}`, join(digest.slice(0, 2), `${digest}${ending}`)]) {
        const bytes = readStored(folder, name, MAX_SIGNATURE);
        if (bytes !== null) return [bytes];
      }
      return [];
    });
  }
}

/**
 * The contents of files with signatures of one type over the same data: one after the other, as one file has those of
 * several signers, up to the size that a signature may have. A file that cannot be read is left out, so that it does
 * not keep those of other folders from being used. A type that cannot have several has each file by itself.
 */
function filesOf(type: SignatureType, files: readonly Uint8Array[]): readonly Uint8Array[] {
  const { several } = FORMATS[type] as SignatureFormat;
  if (files.length < 2 || several === null) return files;
  const distinct = files.filter((bytes, index) => files.findIndex((one) => Buffer.compare(one, bytes) === 0) === index);
  const readable = distinct.filter((bytes) => isReadable(several, bytes));
  let left = MAX_SIGNATURE;
  const fitting = readable.filter(({ length }) => {
    if (length > left) return false;
    left -= length;
    return true;
  });
  return fitting.length === 0 ? files.slice(0, 1) : [Buffer.concat(fitting)];
}

function isReadable({ split, signerOf }: Several, bytes: Uint8Array): boolean {
  try {
    split(bytes).forEach(signerOf);
    return true;
  } catch (error) {
    if (error instanceof CountersignError) return false;
    throw error;
  }
}

const SHA256 = /^[0-9a-f]{64}$/;

/** The types of detached signatures that a key makes over any bytes, and the endings of their files. */
const DETACHED = [
  { type: "PKCS7", ending: ".p7s" },
  { type: "SSHSIG", ending: ".sig" },
  { type: "MINISIGN", ending: ".minisig" },
  { type: "SIGSTORE", ending: ".sigstore.json" },
] as const satisfies readonly { readonly type: SignatureType; readonly ending: string }[];

/** Whether a file has the ending of a signature of any type. */
export function isSignatureName(name: string): boolean {
  return DETACHED.some(({ ending }) => name.endsWith(ending));
}

/** `.sig` is also the ending of bare signatures, which do not say what their key signed. */
function isSshSignature(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes("-----BEGIN SSH SIGNATURE-----");
}

/** The file name of a statement with this SHA-256, in a folder of signatures. */
export function statementName(digest: string): string {
  return `${digest}.statement`;
}

const STATEMENT = /^[0-9a-f]{64}\.statement$/;

/**
 * The names of the statements in a folder, in ascending order: `<sha256>.statement`, or in a folder that is named by
 * its first two digits. Throws FILE_UNREADABLE.
 */
export function statementNames(path: string, place = path): readonly string[] {
  try {
    const entries = readdirSync(path);
    const deep = entries
      .filter((name) => /^[0-9a-f]{2}$/.test(name) && statSync(join(path, name)).isDirectory())
      .flatMap((folder) => readdirSync(join(path, folder)).map((name) => [folder, name] as const))
      .filter(([folder, name]) => name.startsWith(folder) && STATEMENT.test(name))
      .map(([folder, name]) => join(folder, name));
    return [...entries.filter((name) => STATEMENT.test(name)), ...deep].sort();
  } catch (cause) {
    throw unreadable(place, `cannot be listed: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

/** Folders whose paths are resolved at each lookup. Throws FILE_UNREADABLE if one is missing or is not a folder. */
export function signatureFolders(directories: readonly string[]): readonly SignatureFolder[] {
  for (const directory of directories)
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw noFolder(directory);
  return directories.map((directory) => new FolderByPath(directory));
}

/** The file name of a signature over the data with this SHA-256. */
export function signatureName(digest: string): string {
  return `${digest}.p7s`;
}

/** The error for a configured folder that is missing or is not a folder. */
function noFolder(directory: string): CountersignError {
  return new CountersignError("FILE_UNREADABLE", "is not a folder of signatures", {
    place: directory,
    remedy: "create the folder, or remove it from `signatures`",
  });
}

/** O_NONBLOCK keeps open(2) from blocking on a FIFO without a writer. Windows has neither. */
const OPEN = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Calls stat(2) before open(2), since most files do not exist and an exception would be slow. */
class FolderByPath implements SignatureFolder {
  constructor(readonly path: string) {}

  open(name: string): number {
    const path = join(this.path, name);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return -ERRNO.ENOENT;
    return openSync(path, OPEN);
  }

  close(fd: number): void {
    closeSync(fd);
  }

  statements(): readonly string[] {
    return statementNames(this.path);
  }
}

/**
 * A file in a folder of signatures, of at most `maximum` bytes; null if there is none. Throws FILE_UNREADABLE,
 * FILE_TOO_LARGE.
 */
export function readStored(folder: SignatureFolder, name: string, maximum: number): Uint8Array | null {
  const path = join(folder.path, name);
  try {
    const fd = folder.open(name);
    if (fd === -ERRNO.ENOENT || fd === -ERRNO.ENOTDIR) return null;
    if (fd < 0) throw unreadable(path, `cannot be read: ${errorName(-fd)}`);
    try {
      const status = fstatSync(fd);
      if (!status.isFile()) throw unreadable(path, "is not a regular file");
      if (status.size <= maximum) return contentsOf(fd, status.size);
    } finally {
      folder.close(fd);
    }
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw unreadable(path, `cannot be read: ${code}`, cause);
  }
  throw new CountersignError("FILE_TOO_LARGE", `is larger than the ${maximum} bytes that such a file may have`, {
    place: path,
    remedy: "write it as `countersign sign` does, with a detached signature, or remove it",
  });
}

/** Reads up to the size that fstat(2) returned; less if the file has been truncated since. */
function contentsOf(fd: number, size: number): Uint8Array {
  return readFull(fd, Buffer.allocUnsafeSlow(size), 0);
}

function unreadable(place: string, message: string, cause?: unknown): CountersignError {
  return new CountersignError("FILE_UNREADABLE", message, {
    place,
    remedy: "check the signature and its permissions",
    cause,
  });
}
