import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const depth = (name) => name.split("/").length;

/** The files below a folder, the deepest first: a module's chunks are there before what imports them. */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => !statSync(join(folder, name)).isDirectory())
    .sort((one, other) => depth(other) - depth(one));

const isSame = (one, other) => existsSync(other) && readFileSync(one).equals(readFileSync(other));

/**
 * Moves the files of the folder `made` into `folder`, each by one rename(2), so that whoever reads a file meanwhile
 * gets it whole, old or new. Then removes `made`, and what it did not have, unless `keeps` accepts its name. Names are
 * relative to `folder`. `derived` gives the names of files that are only valid for a file with these contents: they are
 * removed before it changes.
 *
 * @param {string} made
 * @param {string} folder
 * @param {{ keeps?: (name: string) => boolean, derived?: (name: string, names: string[]) => string[] }} options
 */
export function replaceFiles(made, folder, { keeps = () => false, derived = () => [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const before = filesIn(folder).filter((name) => !join(folder, name).startsWith(join(made, "/")));
  const after = filesIn(made);
  for (const name of after) {
    const path = join(folder, name);
    if (!isSame(join(made, name), path)) for (const other of derived(name, before)) rmSync(join(folder, other));
    mkdirSync(dirname(path), { recursive: true });
    renameSync(join(made, name), path);
  }
  const stays = new Set(after);
  for (const name of before) if (!stays.has(name) && !keeps(name)) rmSync(join(folder, name), { force: true });
  rmSync(made, { recursive: true, force: true });
}
