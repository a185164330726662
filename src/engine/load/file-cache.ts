import { readText } from "../../input.js";

/** The texts of a configuration's policies and maps, by path, as they were read. Plain data. */
export type FileSnapshot = ReadonlyMap<string, string>;

/**
 * The files of policies and maps, each read once. An engine that replaces another under the same configuration gets the
 * texts that the other read. So changes of the files take effect only when the configuration is read again, and then
 * all together.
 */
export class FileCache {
  readonly #texts: Map<string, string>;

  constructor(private readonly given: FileSnapshot | null) {
    this.#texts = new Map(given);
  }

  /**
   * A file's text, of at most `limit` bytes. `check` throws if the file may not be read; it is not called for texts
   * that were given, which were checked before. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  text(path: string, limit: number, check: () => void = () => undefined): string {
    const known = this.given?.get(path);
    if (known !== undefined) return known;
    check();
    const text = this.#texts.get(path) ?? readText(path, limit);
    this.#texts.set(path, text);
    return text;
  }

  get texts(): FileSnapshot {
    return this.#texts;
  }
}
