import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * Imports the exports of a TypeScript module, for a script that reads this project's tables or calls its functions.
 * @param {string} contents the module's text
 * @param {string} folder the checkout that its imports are relative to
 * @param {string} here the file that each of the modules takes itself for
 */
export async function importSources(
  contents,
  folder = fileURLToPath(new URL("..", import.meta.url)),
  here = import.meta.filename,
) {
  const url = JSON.stringify(pathToFileURL(here).href);
  const { outputFiles } = await build({
    absWorkingDir: folder,
    stdin: { contents, resolveDir: folder, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    // The bundle is in a folder that is removed
    define: { "import.meta.url": url, "import.meta.dirname": JSON.stringify(dirname(here)) },
    // Bundled CommonJS libraries call `require`.
    banner: {
      js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(${url});`,
    },
  });
  const work = mkdtempSync(join(tmpdir(), "sources-"));
  try {
    const file = join(work, "sources.mjs");
    writeFileSync(file, outputFiles[0].contents);
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(work, { recursive: true });
  }
}
