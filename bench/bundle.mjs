// Bundles modules of the benchmark with the sources of this checkout.
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
/** The folder of the bundles. */
const built = join(here, "node_modules", ".rows");

/** Bundles modules, given by their paths in this folder without `.ts`. Returns the path of each bundle. */
export async function bundled(modules) {
  await build({
    absWorkingDir: here,
    entryPoints: modules.map((module) => `${module}.ts`),
    outbase: here,
    outdir: built,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["esbuild", "koffi", "casbin", "isolated-vm", "@cedar-policy/cedar-wasm"],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  // libraries that the sources look for beside themselves, and that only the build makes
  for (const name of readdirSync(dist).filter((each) => each.endsWith(".cjs")))
    copyFileSync(join(dist, name), join(built, name));
  return modules.map((module) => join(built, `${module}.mjs`));
}
