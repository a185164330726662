import { hash } from "node:crypto";
import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readInput } from "../../input.js";
import type { PackageOfFile } from "./package-file.js";

/** A file of an installed package. */
export interface InstalledFile {
  /** Without symbolic links in its folders. */
  readonly path: string;
  /** Compares the checksum of what the file contains now. */
  package(bytes: Uint8Array): PackageOfFile;
}

/** Where dpkg has its database (dpkg(1)). */
const DATABASE = "/var/lib/dpkg";
/** Maximum size in bytes of a file of the database: `status` of a full Debian desktop has 6 MB. */
const MAX_TEXT = 1 << 26;
/** Maximum number of files of all packages. A full Debian desktop has 500,000. */
const MAX_FILES = 4_000_000;

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/**
 * The files of the packages that dpkg has installed, by packages in the order of the database; folders and symbolic
 * links among them. Throws FILE_UNREADABLE and FILE_TOO_LARGE if there is no such database.
 */
export function* installedFiles(database = DATABASE): Generator<InstalledFile> {
  const folders = new Map<string, string>();
  const info = join(database, "info");
  const names = new Set(namesIn(info));
  let left = MAX_FILES;
  for (const installed of installedPackages(text(join(database, "status")))) {
    const base = baseName(installed, names);
    if (base === null) continue;
    let checksums: ReadonlyMap<string, string> | null = null;
    const checksumOf = (path: string) => {
      checksums ??= names.has(`${base}.md5sums`) ? checksumsIn(text(join(info, `${base}.md5sums`))) : new Map();
      return checksums.get(path) ?? null;
    };
    const { name, version } = installed;
    for (const listed of text(join(info, `${base}.list`)).split("\n")) {
      if (!listed.startsWith("/") || listed === "/.") continue;
      if (left-- <= 0) return;
      const path = join(folderOf(dirname(listed), folders), basename(listed));
      yield {
        path,
        package: (bytes) => {
          const checksum = checksumOf(listed.slice(1));
          return { name, version, isUnchanged: checksum === null ? null : checksum === hash("md5", bytes) };
        },
      };
    }
  }
}

function text(path: string): string {
  return Buffer.from(readInput(path, MAX_TEXT)).toString("utf8");
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The installed packages of a `status` (deb-control(5)): paragraphs of `Field: value` lines. */
function* installedPackages(status: string): Generator<Installed> {
  for (const paragraph of status.split(/\n{2,}/)) {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "m").exec(paragraph)?.[1]?.trim() ?? "";
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    if (/^[a-z0-9][a-z0-9+.-]*$/.test(name) && field("Status").endsWith(" installed"))
      yield { name, version, architecture };
  }
}

/** The name of a package's files in the folder `info`: with the architecture if several can be installed. */
function baseName({ name, architecture }: Installed, names: ReadonlySet<string>): string | null {
  return [name, `${name}:${architecture}`].find((base) => names.has(`${base}.list`)) ?? null;
}

/** A line has 32 hex digits, two spaces and the path without its first slash. */
function checksumsIn(lines: string): ReadonlyMap<string, string> {
  return new Map(Array.from(lines.matchAll(/^([0-9a-f]{32}) [ *](.+)$/gm), ([, sum, path]) => [path!, sum!]));
}

/** Debian lists `/lib/…` for what is in `/usr/lib/…`. */
function folderOf(folder: string, known: Map<string, string>): string {
  let real = known.get(folder);
  if (real === undefined) {
    try {
      real = realpathSync(folder);
    } catch {
      real = folder;
    }
    known.set(folder, real);
  }
  return real;
}
