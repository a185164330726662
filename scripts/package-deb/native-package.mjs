import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The folder of a package with binaries for one architecture: the installed one, or for another architecture than this
 * machine's one that `npm pack` fetches into `folder`. Throws if its digest is not that of package-lock.json.
 * @param {string} name
 * @param {string} folder
 * @returns {string}
 */
export function nativePackage(name, folder) {
  const installed = join(root, "node_modules", name);
  if (existsSync(installed)) return installed;
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version, integrity } = packages[`node_modules/${name}`];
  mkdirSync(folder, { recursive: true });
  const words = ["pack", "--silent", "--ignore-scripts", "--prefer-offline", "--pack-destination", folder];
  execFileSync("npm", [...words, `${name}@${version}`], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const archive = join(folder, readdirSync(folder).find((file) => file.endsWith(".tgz")) ?? "");
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== integrity)
    throw new Error(`${name}@${version} has the digest ${digest}, and package-lock.json has ${integrity}`);
  execFileSync("tar", ["-xzf", archive, "-C", folder]);
  return join(folder, "package");
}
