import { readImageScript, type ThreadImage } from "../../engine/thread-image.js";
import type { InstalledFiles } from "../../installed.js";
import { nativePath } from "../sys/native.js";

const NOTHING: InstalledFiles = new Map();

/**
 * What the threads of a gate run, read before its command starts: the command may be able to write to the bundle and to
 * packages.
 */
export class Images {
  readonly #natives = { koffi: nativePath() };
  readonly #script = readImageScript("thread");
  #installed: InstalledFiles | null = null;
  /** Reads no files of the installation. */
  readonly blockingWorker: ThreadImage = {
    script: readImageScript("gate-blocking-worker"),
    natives: this.#natives,
    installed: NOTHING,
  };

  /** For the next decision thread. */
  get decision(): ThreadImage {
    return { script: this.#script, natives: this.#natives, installed: this.#installed };
  }

  /**
   * Whether it is known what later threads need: one that is started before has to read it, and can only do so before
   * the command.
   */
  get isComplete(): boolean {
    return this.#installed !== null;
  }

  /** The first decision thread has read what the others need. */
  complete(files: InstalledFiles): void {
    this.#installed ??= files;
  }
}
