import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files by which a machine says what it is. `root` is where / is: tests have a folder there. */
export class Machine {
  constructor(readonly root = "/") {}

  /** The text of a file without the white space around it; null if it cannot be read. */
  text(path: string): string | null {
    try {
      return readFileSync(join(this.root, path), "utf8").trim();
    } catch {
      return null;
    }
  }

  /** The names in a folder; empty if it cannot be read. */
  names(path: string): readonly string[] {
    try {
      return readdirSync(join(this.root, path)).sort();
    } catch {
      return [];
    }
  }

  has(path: string): boolean {
    const [, folder = "", name = ""] = /^(.*?)([^/]+)$/.exec(path) ?? [];
    return this.names(folder).includes(name);
  }

  /** Whether there is a file that its owner may write. */
  isWritable(path: string): boolean {
    const mode = statSync(join(this.root, path), { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o200) !== 0;
  }

  /** The magic number of the file system of a path (linux/magic.h); null if there is no such path. */
  fileSystem(path: string): number | null {
    try {
      return statfsSync(join(this.root, path)).type;
    } catch {
      return null;
    }
  }
}
