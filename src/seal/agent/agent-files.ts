import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { bundleFile } from "../../installed.js";
import type { CpioEntry } from "../initramfs/cpio.js";
import loadedPackages from "./loaded-packages.json" with { type: "json" };
import { sharedLibraries } from "./shared-libraries.js";

/** The files of the bundle that `countersign agent` and its threads load; a cache is valid for one version of node. */
const BUNDLE = [
  ...["gate.cjs", "thread.cjs", "gate-thread.cjs", "gate-blocking-worker.cjs", "gate-denial-thread.cjs"],
  ...["sigstore.cjs", "strip-types.cjs"],
] as const;
const CACHE = /^(?:gate|thread)\..*\.cache$/;
/**
 * Installed packages, with the files of each that are loaded: koffi's sources for other machines are not. The Debian
 * package contains the same (scripts/package-deb/files.mjs).
 */
const PACKAGES = loadedPackages
  .filter(({ architecture }) => architecture === undefined || architecture === process.arch)
  .map(({ name, files }) => ({ name, files: new RegExp(files) }));
/** Files of the system that a process may lack: OpenSSL's configuration, and ld.so's. */
const OPTIONAL = ["/etc/ssl/openssl.cnf", "/etc/ld.so.cache"] as const;

/** The largest file is node, which has about 100 MB. */
const MAX_FILE = 2 ** 30;

/** The installation's script that node runs. */
export const agentScript = (): string => join(installation(), "bin/countersign.js");

/**
 * Absolute paths of all that the agent reads, in ascending order: node with its libraries, the installation, and what a
 * configuration names: `files`, and all files below `folders`. Throws FILE_UNREADABLE if a package or a library is
 * missing.
 */
export function agentPaths(files: readonly string[], folders: readonly string[]): readonly string[] {
  const root = installation();
  const dist = join(root, "dist");
  const packages = PACKAGES.flatMap(({ name, files: loaded }) => {
    const folder = packageFolder(root, name);
    return below(folder).filter((path) => loaded.test(path.slice(folder.length + 1)));
  });
  const paths = [
    process.execPath,
    ...sharedLibraries(process.execPath),
    ...OPTIONAL.filter((path) => existsSync(path)),
    ...["package.json", "bin/package.json", "bin/countersign.js", "bin/load.js"].map((name) => join(root, name)),
    ...BUNDLE.map((name) => join(dist, name)),
    ...readdirSync(dist)
      .filter((name) => CACHE.test(name))
      .map((name) => join(dist, name)),
    ...packages,
    ...files,
    ...folders.flatMap(below),
  ];
  return [...new Set(paths.map((path) => resolve(path)))].sort();
}

/** The folder of an installed package, as node finds it from the installation. */
function packageFolder(root: string, name: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(path)) return path;
    if (folder === "/")
      throw new CountersignError("FILE_UNREADABLE", `the package \`${name}\` is not installed`, {
        place: root,
        remedy: "install countersign again with `npm`",
      });
  }
}

/** All files below a folder. */
function below(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? below(path) : [path];
  });
}

function installation(): string {
  return dirname(dirname(realpathSync(bundleFile("gate.cjs"))));
}

/**
 * Entries of an archive for files, below a folder by their absolute paths, with the folders above them. Programs keep
 * the permission to be executed; nothing may be written. `empty` are folders without files. Throws FILE_UNREADABLE.
 */
export function fileEntries(
  paths: readonly string[],
  below: string,
  empty: readonly string[] = [],
): readonly CpioEntry[] {
  const folders = new Set<string>();
  const addFolders = (path: string) => {
    for (let folder = path; folder !== "/" && !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  };
  for (const path of paths) addFolders(dirname(path));
  for (const path of empty) addFolders(path);
  const inside = (path: string) => `${below}${path}`;
  return [
    { path: below, permissions: 0o755, contents: null },
    ...[...folders].sort().map((path) => ({ path: inside(path), permissions: 0o755, contents: null })),
    ...paths.map((path) => {
      const contents = readInput(path, MAX_FILE);
      return { path: inside(path), permissions: statSync(path).mode & 0o111 ? 0o555 : 0o444, contents };
    }),
  ];
}
