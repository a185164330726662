import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * Imports the exports of a TypeScript module, for a script that reads this project's tables or calls its functions.
 * @param {string} contents the module's text
 * @param {string} folder the checkout that its imports are relative to
 */
export async function importSources(contents, folder = fileURLToPath(new URL("..", import.meta.url))) {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    stdin: { contents, resolveDir: folder, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    // The bundle is in a folder that is removed
    define: { "import.meta.url": URL_HERE, "import.meta.dirname": JSON.stringify(import.meta.dirname) },
    // Bundled CommonJS libraries call `require`.
    banner: {
      js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(${URL_HERE});`,
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

const URL_HERE = JSON.stringify(import.meta.url);
