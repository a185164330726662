import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");

/** TypeScript that imports files by their paths from the project's folder, as one script for a process or thread. */
export function bundledSource(source: string): string {
  const [bundle] = buildSync({
    stdin: { contents: source, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    external: ["koffi"],
    // from where koffi is found
    define: { "import.meta.url": JSON.stringify(pathToFileURL(join(ROOT, "src/sys/native.ts")).href) },
    logLevel: "warning",
  }).outputFiles;
  return bundle!.text;
}
