import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/**
 * Maximum length of a line in UTF-16 code units; a longer one is dropped. The decision log truncates foreign strings,
 * so its lines are far shorter.
 */
const MAX_LINE = 1024 * 1024;

/**
 * Reads the lines that are appended to a file. When the file is rotated, the old file is read to its end before the new
 * one. A file that does not exist yet has no lines.
 */
export class Follow {
  #fd: number | null = null;
  #position = 0;
  #decoder = new StringDecoder("utf8");
  #partial = "";

  /** `fromStart`: also return the lines that the file already has. */
  constructor(
    private readonly path: string,
    private fromStart: boolean,
  ) {}

  /** Returns the complete lines since the last call. */
  read(): string[] {
    const lines: string[] = [];
    if (this.#fd !== null || this.#open()) this.#drain(lines);
    if (this.#fd !== null && this.#moved()) {
      this.close();
      this.fromStart = true;
      if (this.#open()) this.#drain(lines);
    }
    return lines;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#partial = "";
    this.#decoder = new StringDecoder("utf8");
  }

  #open(): boolean {
    try {
      this.#fd = openSync(this.path, "r");
    } catch {
      this.fromStart = true; // a file that appears later is new from its start
      return false;
    }
    this.#position = this.fromStart ? 0 : fstatSync(this.#fd).size;
    return true;
  }

  #drain(lines: string[]): void {
    const chunk = Buffer.alloc(256 * 1024);
    for (;;) {
      const count = readSync(this.#fd as number, chunk, 0, chunk.length, this.#position);
      if (count === 0) return;
      this.#position += count;
      const parts = (this.#partial + this.#decoder.write(chunk.subarray(0, count))).split("\n");
      this.#partial = parts.pop() ?? "";
      if (this.#partial.length > MAX_LINE) this.#partial = "";
      lines.push(...parts);
    }
  }

  /** Whether the path now leads to another file, or the file has been truncated. */
  #moved(): boolean {
    const now = statSync(this.path, { throwIfNoEntry: false });
    const its = fstatSync(this.#fd as number);
    return now !== undefined && (now.ino !== its.ino || now.dev !== its.dev || now.size < this.#position);
  }
}
