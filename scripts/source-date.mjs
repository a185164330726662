import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The time that a release carries, in seconds since the epoch, so that two builds of the same source are the same:
 * SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), else the time of the last commit, else
 * the date of the last release in CHANGELOG.md.
 */
export function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (!/^\d+$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: \`${given}\``);
    return Number(given);
  }
  const commit = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" });
  if (commit.status === 0) return Number(commit.stdout);
  const release = /^## \S+ - (\d{4}-\d\d-\d\d)$/m.exec(readFileSync(`${root}/CHANGELOG.md`, "utf8"));
  if (release === null) throw new Error("CHANGELOG.md has no release; set SOURCE_DATE_EPOCH");
  return Date.parse(release[1]) / 1000;
}
