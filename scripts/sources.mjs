import { fileURLToPath } from "node:url";
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
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
