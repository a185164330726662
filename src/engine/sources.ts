import { readText } from "../input.js";

/** What stood in the files of a configuration's policies and maps when it was taken, by their paths. Plain data. */
export type Texts = ReadonlyMap<string, string>;

/**
 * The files of policies and maps, each read once. An engine that replaces another one under the same configuration is given what
 * that one read: what has changed in the files since counts when the configuration is read again, all or nothing, and not before.
 */
export class Sources {
  readonly #texts: Map<string, string>;

  constructor(private readonly given: Texts | null) {
    this.#texts = new Map(given);
  }

  /**
   * A file's text, of at most `limit` bytes. `check` throws where a file is not to be read; what is given was checked. Throws
   * FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  text(path: string, limit: number, check: () => void = () => undefined): string {
    const known = this.given?.get(path);
    if (known !== undefined) return known;
    check();
    const text = this.#texts.get(path) ?? readText(path, limit);
    this.#texts.set(path, text);
    return text;
  }

  get texts(): Texts {
    return this.#texts;
  }
}
