import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { available, Unavailable } from "./core/debian-archive.js";
import { fillOnce } from "./kept-folder.js";

/** Where packages are kept between runs: a kernel's is 500 MB that take a while to fetch. */
const KEPT = process.env.COUNTERSIGN_GUEST ?? join(tmpdir(), "countersign-guest");

/** A folder with what a package of Debian's holds. */
export interface Unpacked {
  readonly folder: string;
}

/** The first package that another one depends on and whose name matches; null where apt knows none. */
export function dependency(name: string, matching: RegExp): string | null {
  const depends = spawnSync("apt-cache", ["depends", name], { encoding: "utf8" }).stdout ?? "";
  const names = Array.from(depends.matchAll(/Depends: (\S+)/g), ([, one]) => one as string);
  return names.find((one) => matching.test(one)) ?? null;
}

/**
 * Fetches a package with apt-get where it is not there yet, and unpacks it without installing it; or the reason why
 * not.
 */
export function unpack(name: string): Unpacked | string {
  const folder = join(KEPT, name);
  return available(() => {
    fillOnce(folder, (work) => {
      const download = spawnSync("apt-get", ["download", "-qq", name], { cwd: work, encoding: "utf8" });
      const archive = readdirSync(work).find((file) => file.endsWith(".deb"));
      if (archive === undefined)
        throw new Unavailable(`${name} cannot be fetched: ${download.stderr.trim().split("\n").at(-1)}`);
      execFileSync("dpkg-deb", ["-x", archive, "."], { cwd: work });
      rmSync(join(work, archive));
    });
    return { folder };
  });
}
