import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The version of the package: that of package.json, and the number of the packaging. */
export function debianVersion(revision) {
  if (!/^[0-9][0-9a-z.+~]*$/.test(revision)) throw new Error(`\`${revision}\` cannot be a Debian revision`);
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  return `${version.replace("-", "~")}-${revision}`;
}

/** `Name <address>`: DEBFULLNAME and DEBEMAIL, as Debian's tools take them, or the author of the last commit. */
export function maintainer() {
  const { DEBFULLNAME = "Countersign maintainers", DEBEMAIL } = process.env;
  if (DEBEMAIL !== undefined) return `${DEBFULLNAME} <${DEBEMAIL}>`;
  const commit = spawnSync("git", ["log", "-1", "--format=%an <%ae>"], { cwd: root, encoding: "utf8" });
  if (commit.status !== 0) throw new Error("this is no clone: set DEBEMAIL to the maintainer's address");
  return commit.stdout.trim();
}
