import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { CountersignError } from "./error.js";
import { readFull } from "./read-full.js";

/** Default limit for input files in bytes. The largest known vmlinux BTF and BPF objects are far smaller. */
export const MAX_INPUT = 64 * 1024 * 1024;

/** O_NONBLOCK: open(2) of a pipe would wait for a writer without it. Windows does not have the flag. */
const OPEN = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Reads a UTF-8 text file. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
export function readText(path: string, limit: number): string {
  // Small buffers may come from node's pool, since they are decoded at once.
  return decodeText(
    path,
    read(path, limit, (size) => Buffer.allocUnsafe(size)),
  );
}

/** The text of a UTF-8 file's bytes, without a byte order mark. Throws FILE_UNREADABLE. */
export function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", "is not UTF-8 text", {
      place: path,
      remedy: "name a text file",
      cause,
    });
  }
}

/** Reads a file's bytes. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
export function readInput(path: string, limit = MAX_INPUT): Uint8Array {
  return read(path, limit, (size) => new Uint8Array(size));
}

/**
 * Memory for the bytes of one file after another. Memory that is new for each file has to be provided by the kernel,
 * which takes as long as reading.
 */
export class InputBuffer {
  #bytes = new Uint8Array(0);

  /** Reads a file's bytes, which are valid until the next call. Throws FILE_UNREADABLE, FILE_TOO_LARGE. */
  read(path: string, limit = MAX_INPUT): Uint8Array {
    return read(path, limit, (size) => {
      if (this.#bytes.length < size) this.#bytes = new Uint8Array(2 ** Math.ceil(Math.log2(size)));
      return this.#bytes.subarray(0, size);
    });
  }
}

function read(path: string, limit: number, allocate: (size: number) => Uint8Array): Uint8Array {
  let fd: number;
  try {
    fd = openSync(path, OPEN);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile())
      throw new CountersignError("FILE_UNREADABLE", "is not a regular file", { place: path, remedy: "name a file" });
    if (status.size > limit) throw tooLarge(path, status.size, limit);
    return readFull(fd, allocate(status.size), 0);
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : unreadable(path, cause);
  } finally {
    closeSync(fd);
  }
}

function unreadable(path: string, cause: unknown): CountersignError {
  const code = (cause as NodeJS.ErrnoException).code ?? "an error";
  return new CountersignError("FILE_UNREADABLE", `cannot be read: ${code}`, {
    place: path,
    remedy: "check the path and its permissions",
    cause,
  });
}

function tooLarge(path: string, size: number, limit: number): CountersignError {
  return new CountersignError("FILE_TOO_LARGE", `is ${size} bytes, more than the limit of ${limit}`, {
    place: path,
    remedy: "name the file that is meant, not an archive or an image",
  });
}

/**
 * Splits a list of strings that each end in a NUL, as in /proc/PID/cmdline and /proc/PID/environ (proc(5)). Bytes are
 * kept.
 */
export function nulStrings(bytes: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    found.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return found;
}
