import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/**
 * The longest line that is put together: the decision log clips what others wrote, so that its lines are far below it.
 */
const MAX_LINE = 1024 * 1024;

/**
 * The lines that are added to a file, which may be rotated away and begun anew: what was written to the old one before
 * is read to its end first. A file that is not there yet has no lines.
 */
export class Follow {
  #fd: number | null = null;
  #position = 0;
  #decoder = new StringDecoder("utf8");
  #partial = "";

  /** `fromStart`: with the lines that are there already. */
  constructor(
    private readonly path: string,
    private fromStart: boolean,
  ) {}

  /** The whole lines since the last call. */
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
      this.fromStart = true; // what comes to be there is new
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

  /** Whether the path is another file now, or a shorter one. */
  #moved(): boolean {
    const now = statSync(this.path, { throwIfNoEntry: false });
    const its = fstatSync(this.#fd as number);
    return now !== undefined && (now.ino !== its.ino || now.dev !== its.dev || now.size < this.#position);
  }
}
