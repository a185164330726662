import { readImageScript, type ThreadImage } from "../../engine/threads/thread-image.js";
import type { InstalledFiles } from "../../installed.js";
import { nativePath } from "../../sys/native.js";

const NOTHING: InstalledFiles = new Map();

/**
 * The code of the gate's threads, read before the command starts, because the command may be able to write to the
 * bundle and to installed packages.
 */
export class Images {
  readonly #natives = { koffi: nativePath() };
  readonly #script = readImageScript("thread");
  #installed: InstalledFiles | null = null;
  /** The image of blocking workers, which read no files of the installation. */
  readonly blockingWorker: ThreadImage = {
    script: readImageScript("gate-blocking-worker"),
    natives: this.#natives,
    installed: NOTHING,
  };

  /** The image of the next decision thread. */
  get decision(): ThreadImage {
    return { script: this.#script, natives: this.#natives, installed: this.#installed };
  }

  /**
   * Whether the files that later threads read are known. A thread that is started earlier has to read them from the
   * installation, which is safe only before the command starts.
   */
  get isComplete(): boolean {
    return this.#installed !== null;
  }

  /** Stores the files of the installation that the first decision thread read, for all later threads. */
  complete(files: InstalledFiles): void {
    this.#installed ??= files;
  }
}
