import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceDate } from "../../../scripts/source-date.mjs";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The architecture of this machine, as Debian calls it. */
export const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

/** How a package is to be built. */
export interface Building {
  readonly architecture?: string;
  readonly revision?: string;
  /** The project's folder, with dist/. */
  readonly source?: string;
  readonly umask?: string;
  /** None where a package is only installed: xz takes most of the time. */
  readonly compression?: "xz" | "none";
  readonly env?: NodeJS.ProcessEnv;
}

/** Builds a package into a folder. Returns its path. */
export function built(out: string, building: Building = {}): string {
  const {
    architecture = ARCHITECTURE,
    revision = "1",
    source = ROOT,
    umask = "022",
    compression = "none",
    env = {},
  } = building;
  const words = ["--architecture", architecture, "--revision", revision, "--compression", compression, "--out", out];
  const script = `umask ${umask}; exec "$0" "$@"`;
  const printed = execFileSync(
    "sh",
    ["-c", script, process.execPath, join(source, "scripts/package-deb.mjs"), ...words],
    {
      encoding: "utf8",
      env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDate()), DEBEMAIL: "packages@countersign.dev", ...env },
    },
  );
  return printed.trim();
}

/** Why no package can be built here; null if it can. */
export function cannotBuild(): string | null {
  return spawnSync("dpkg-deb", ["--version"]).status === 0 ? null : "needs dpkg-deb";
}
