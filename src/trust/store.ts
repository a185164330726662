import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CountersignError } from "../error.js";
import { MAX_SIGNATURE } from "./cms/pkcs7.js";

/**
 * Detached signatures in folders, found by the digest of what they sign: `<sha256>.p7s`, or `<first two digits>/<sha256>.p7s` where a
 * folder has grown large. A lookup opens by name and lists nothing, so it takes the same time however many there are.
 */
export class SignatureStore {
  private constructor(readonly directories: readonly string[]) {}

  /** Throws FILE_UNREADABLE where a folder is missing or is none. */
  static open(directories: readonly string[]): SignatureStore {
    for (const directory of directories) {
      if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) continue;
      throw new CountersignError("FILE_UNREADABLE", "is not a folder of signatures", {
        place: directory,
        remedy: "make the folder, or take it out of `signatures`",
      });
    }
    return new SignatureStore(directories);
  }

  /**
   * The signature over what has this SHA-256, in lower-case hex; null where there is none. The first folder that has one counts. Throws
   * FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  find(digest: string): Uint8Array | null {
    if (!/^[0-9a-f]{64}$/.test(digest)) return null;
    for (const directory of this.directories)
      for (const path of [join(directory, `${digest}.p7s`), join(directory, digest.slice(0, 2), `${digest}.p7s`)]) {
        const bytes = readIfThere(path);
        if (bytes !== null) return bytes;
      }
    return null;
  }
}

/** The name under which a signature over what has this SHA-256 is kept. */
export function signatureName(digest: string): string {
  return `${digest}.p7s`;
}

/** Looks before it opens: what is not there is the usual case, and costs no exception; what is no file must not be waited for. */
function readIfThere(path: string): Uint8Array | null {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return null;
    if (!status.isFile()) throw unreadable(path, "is not a regular file");
    if (status.size <= MAX_SIGNATURE) return readFileSync(path);
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

function unreadable(place: string, message: string, cause?: unknown): CountersignError {
  return new CountersignError("FILE_UNREADABLE", message, {
    place,
    remedy: "check the signature and its permissions",
    cause,
  });
}
