import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CODE_DIGEST } from "./code-digest.mjs";

const manifest = fileURLToPath(new URL("../package.json", import.meta.url));

/** Bundles only the version from package.json. */
export const VERSION_ONLY = {
  name: "version-only",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/package\.json$/ }, ({ path }) => {
      if (path !== manifest) return undefined;
      const { version } = JSON.parse(readFileSync(path, "utf8"));
      return { contents: JSON.stringify({ version }), loader: "json" };
    }),
};

/**
 * Bundles an entry into one script for bin/load.js. A script can use V8's code cache; a module cannot. The result's
 * `metafile` lists what was bundled, by paths relative to the project.
 */
export const bundleScript = (entry, outfile, plugins = []) =>
  build({
    absWorkingDir: dirname(manifest),
    metafile: true,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20.19",
    minify: true,
    // A script made with node:vm can only require, not import.
    supported: { "dynamic-import": false },
    legalComments: "linked",
    // koffi looks for its binaries in its own folder.
    external: ["koffi"],
    plugins: [VERSION_ONLY, ...plugins],
    define: { "import.meta.url": "__url", ...CODE_DIGEST },
    banner: { js: 'const __url = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "warning",
  });
