import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// bench/domains.ts bundles this file and runs in another folder.
let root = dirname(fileURLToPath(import.meta.url));
while (!existsSync(join(root, "src/policy"))) root = dirname(root);

/** SHA-256 of everything that cached results depend on: the source, and the versions of all packages. */
export function codeDigest() {
  const digest = createHash("sha256");
  const names = readdirSync(join(root, "src"), { recursive: true }).filter((name) => name.endsWith(".ts"));
  for (const name of [...names.sort().map((name) => join("src", name)), "package-lock.json"])
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update("\0");
  return digest.digest("hex");
}

/** A definition for esbuild; src/cache-folder.ts reads it. */
export const CODE_DIGEST = { __CODE_DIGEST__: JSON.stringify(codeDigest()) };
