import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { ERRNO } from "../errno.js";
import { CountersignError } from "../error.js";
import { MAX_SIGNATURE } from "./cms/pkcs7.js";

/** A folder of signatures. */
export interface SignatureFolder {
  /** As the configuration has it, for messages. */
  readonly path: string;
  /**
   * Opens a file in it for reading, without waiting for a writer; a negative errno on failure. The caller closes it
   * with {@link close}.
   */
  open(name: string): number;
  /**
   * In a worker thread node warns of an fd that it closes and has not opened: what was opened by a system call is
   * closed by one.
   */
  close(fd: number): void;
}

/**
 * Detached signatures in folders, found by the digest of what they sign: `<sha256>.p7s`, or `<first two
 * digits>/<sha256>.p7s` where a folder has grown large. A lookup opens by name and lists nothing, so it takes the same
 * time however many there are.
 */
export class SignatureStore {
  constructor(private readonly folders: readonly SignatureFolder[]) {}

  /** Folders that are looked up by their paths each time. Throws FILE_UNREADABLE where one is missing or is none. */
  static open(directories: readonly string[]): SignatureStore {
    for (const directory of directories)
      if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw noFolder(directory);
    return new SignatureStore(directories.map((directory) => new FolderByPath(directory)));
  }

  /**
   * The signature over what has this SHA-256, in lower-case hex; null where there is none. The first folder that has
   * one counts. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
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

/** The name under which a signature over what has this SHA-256 is kept. */
export function signatureName(digest: string): string {
  return `${digest}.p7s`;
}

/** The error for a folder of the configuration that is missing or is none. */
function noFolder(directory: string): CountersignError {
  return new CountersignError("FILE_UNREADABLE", "is not a folder of signatures", {
    place: directory,
    remedy: "make the folder, or take it out of `signatures`",
  });
}

/** Opening a pipe waits for a writer, unless one says not to; Windows has neither. */
const OPEN = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Looks before it opens: what is not there is the usual case, and costs no exception. */
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
  throw new CountersignError("FILE_TOO_LARGE", `is more than the ${MAX_SIGNATURE} bytes that a signature may have`, {
    place: path,
    remedy: "put a signature there, and nothing else",
  });
}

/** As much as the file had when it was looked at; less if it has become shorter. */
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
