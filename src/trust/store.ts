import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { ERRNO } from "../errno.js";
import { CountersignError } from "../error.js";
import { MAX_SIGNATURE } from "./cms/pkcs7.js";

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
    for (const directory of directories)
      if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw noFolder(directory);
    return new SignatureStore(directories.map((directory) => new FolderByPath(directory)));
  }

  /**
   * The signature over the data with this SHA-256, given in lower-case hex; null if there is none. The first folder
   * that has one is used. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  find(digest: string): Uint8Array | null {
    if (!/^[0-9a-f]{64}$/.test(digest)) return null;
    for (const folder of this.folders)
      for (const name of [`${digest}.p7s`, join(digest.slice(0, 2), `${digest}.p7s`)]) {
        const bytes = readIfThere(folder, name);
        if (bytes !== null) return bytes;
      }
    return null;
  }
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
}

function readIfThere(folder: SignatureFolder, name: string): Uint8Array | null {
  const path = join(folder.path, name);
  try {
    const fd = folder.open(name);
    if (fd === -ERRNO.ENOENT || fd === -ERRNO.ENOTDIR) return null;
    if (fd < 0) throw unreadable(path, `cannot be read: errno ${-fd}`);
    try {
      const status = fstatSync(fd);
      if (!status.isFile()) throw unreadable(path, "is not a regular file");
      if (status.size <= MAX_SIGNATURE) return contentsOf(fd, status.size);
    } finally {
      folder.close(fd);
    }
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw unreadable(path, `cannot be read: ${code}`, cause);
  }
  throw new CountersignError("FILE_TOO_LARGE", `is larger than the ${MAX_SIGNATURE} bytes that a signature may have`, {
    place: path,
    remedy: "keep only signatures in this folder",
  });
}

/** Reads up to the size that fstat(2) returned; less if the file has been truncated since. */
function contentsOf(fd: number, size: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const count = readSync(fd, bytes, length, size - length, length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

function unreadable(place: string, message: string, cause?: unknown): CountersignError {
  return new CountersignError("FILE_UNREADABLE", message, {
    place,
    remedy: "check the signature and its permissions",
    cause,
  });
}
