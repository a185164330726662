import { readFileSync } from "node:fs";
import { CountersignError } from "../../error.js";
import { writeWhole } from "../files/write.js";

/** How far one file of a log has been exported. */
export interface FilePosition {
  /** Digest of the file's first line, by which it is known under any name, and after it was compressed. */
  readonly head: string;
  /** In bytes of the file before compression: the begin of the first line that was not exported. */
  readonly offset: number;
  /** The number of lines before it. */
  readonly line: number;
}

const VERSION = 1;
/** The most files: those that were exported last. A log has fewer, so that files that are gone are forgotten. */
const MAX_FILES = 1024;

/** The file that says how far each file of a log has been exported. */
export class LogPosition {
  readonly #files = new Map<string, FilePosition>();

  private constructor(private readonly path: string) {}

  /** A file that does not exist is the position before the whole log. Throws FILE_UNREADABLE. */
  static open(path: string): LogPosition {
    const position = new LogPosition(path);
    for (const file of positionsIn(path)) position.#files.set(file.head, file);
    return position;
  }

  /** The digests of all files that it is about. */
  get heads(): readonly string[] {
    return [...this.#files.keys()];
  }

  of(head: string): FilePosition {
    return this.#files.get(head) ?? { head, offset: 0, line: 0 };
  }

  /** Throws FILE_UNREADABLE if it cannot be written. */
  save(file: FilePosition): void {
    this.#files.delete(file.head);
    this.#files.set(file.head, file);
    for (const head of this.#files.keys()) {
      if (this.#files.size <= MAX_FILES) break;
      this.#files.delete(head);
    }
    const text = JSON.stringify({ version: VERSION, files: [...this.#files.values()] });
    writeWhole(this.path, Buffer.from(`${text}\n`), 0o640);
  }
}

function positionsIn(path: string): readonly FilePosition[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${code ?? message}`, {
      place: path,
      remedy: "check its permissions, or name another file with --position",
      cause,
    });
  }
  try {
    const { version, files } = JSON.parse(text) as { readonly version: unknown; readonly files: unknown };
    if (version === VERSION && Array.isArray(files) && files.every(isPosition)) return files;
  } catch {
    // No JSON, and no position either
  }
  throw new CountersignError("FILE_UNREADABLE", "is not the position of an export", {
    place: path,
    remedy: "name another file with --position, or delete it to export the whole log again",
  });
}

function isPosition(value: unknown): value is FilePosition {
  const { head, offset, line } = (value ?? {}) as Partial<FilePosition>;
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  return typeof head === "string" && isCount(offset) && isCount(line);
}
