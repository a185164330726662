import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { DebianArchive, Unavailable } from "../../../scripts/debian-archive.mjs";
import { fillOnce } from "../kept-folder.js";

export { type DebianArchive, Unavailable } from "../../../scripts/debian-archive.mjs";

/** Where what is read from packages is kept between runs: the packages of one kernel are 100 to 200 MB. */
const KEPT = process.env.COUNTERSIGN_KERNELS ?? join(homedir(), ".cache", "countersign-kernels");

const SUITES = ["bookworm", "bookworm-backports", "trixie", "trixie-backports", "forky", "sid"];

/** What a function makes; or, if it throws Unavailable, the reason. */
export function available<Value>(make: () => Value): Value | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}

/** A folder of this name that is kept between runs. If it is not there, `fill` fills a new one. */
export function keep(name: string, fill: (folder: string) => void): { readonly folder: string } {
  // LD_LIBRARY_PATH is separated by colons.
  const folder = join(KEPT, name.replaceAll(":", "."));
  fillOnce(folder, fill);
  return { folder };
}

/** The last folder that is kept as `beginning`, a package that `pattern` matches, `_` and its version; or null. */
export function keptAs(beginning: string, pattern: RegExp): string | null {
  if (!existsSync(KEPT)) return null;
  const packageOf = (name: string) => name.slice(beginning.length).split("_")[0]!;
  const names = readdirSync(KEPT).filter((name) => name.startsWith(beginning) && pattern.test(packageOf(name)));
  const last = names
    .filter((name) => !name.endsWith(".part"))
    .sort()
    .at(-1);
  return last === undefined ? null : join(KEPT, last);
}

/** The packages of Debian's suites. Their lists are kept for a day. */
export function debianArchive(): DebianArchive {
  const archive = new DebianArchive(join(KEPT, "apt"), SUITES);
  archive.updateDaily();
  return archive;
}
