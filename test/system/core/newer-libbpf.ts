import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { available, debianArchive, keep } from "./debian-archive.js";

/**
 * A folder with the newest libbpf.so.1 of Debian's suites, which may be newer than this machine's; or why there is
 * none.
 */
export function newerLibbpf(): { readonly folder: string } | string {
  return available(() => {
    const archive = debianArchive();
    const { folder } = keep(`libbpf1_${archive.version("libbpf1")}`, (work) => {
      execFileSync("dpkg-deb", ["-x", archive.download("libbpf1", work), work]);
    });
    return { folder: join(folder, "usr/lib/x86_64-linux-gnu") };
  });
}
