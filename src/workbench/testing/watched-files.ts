import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Milliseconds without another change after which a change is reported: editors write a file in several steps. */
const QUIET = 100;

/**
 * Resolves when one of some files changes, appears or is removed, or has changed since a time in milliseconds since the
 * epoch. Their folders are watched, because an editor may replace a file.
 */
export function changeOf(files: readonly string[], since: number): Promise<void> {
  const names = new Map<string, Set<string>>();
  for (const file of files) {
    const folder = dirname(file);
    names.set(folder, (names.get(folder) ?? new Set()).add(basename(file)));
  }
  return new Promise((resolve) => {
    const watchers: FSWatcher[] = [];
    let timer: NodeJS.Timeout | undefined;
    const changed = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        for (const one of watchers) one.close();
        resolve();
      }, QUIET);
    };
    for (const [folder, ours] of names) {
      // A null name means that the system does not tell which file it was
      const listener = (_: string, name: string | null) => {
        if (name === null || ours.has(name)) changed();
      };
      try {
        watchers.push(watch(folder, listener).on("error", changed));
      } catch {
        // The folder does not exist: the run before said so, and a change of another file starts the next one
      }
    }
    // A change while the tests ran came before the watchers
    if (files.some((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since)) changed();
  });
}
