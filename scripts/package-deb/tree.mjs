import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A file of the package: its path without the leading slash; `link` for a symbolic link, null `contents` for an empty
 * folder.
 * @typedef {{ path: string, mode: number, contents: Buffer | string | null, link?: string }} PackageFile
 */

/**
 * Writes files below a folder. Modes are those given, whatever the umask is, 0755 for folders above them, and every
 * time is `date`, in seconds since the epoch.
 * @param {string} root
 * @param {readonly PackageFile[]} files
 * @param {number} date
 */
export function writeTree(root, files, date) {
  const folders = new Map([["", 0o755]]);
  const addFolders = (path) => {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder))
      if (!folders.has(folder)) folders.set(folder, 0o755);
  };
  for (const { path, mode, contents, link } of files) {
    addFolders(path);
    if (contents === null && link === undefined) folders.set(path, mode);
  }
  for (const folder of [...folders.keys()].sort()) mkdirSync(join(root, folder), { recursive: true });
  for (const { path, mode, contents, link } of files) {
    const to = join(root, path);
    if (link !== undefined) {
      symlinkSync(link, to);
      lutimesSync(to, date, date);
    } else if (contents !== null) {
      writeFileSync(to, contents);
      chmodSync(to, mode);
      utimesSync(to, date, date);
    }
  }
  // Folders last and from the bottom: a new file changes the time of its folder.
  for (const [folder, mode] of [...folders].sort().reverse()) {
    chmodSync(join(root, folder), mode);
    utimesSync(join(root, folder), date, date);
  }
}
