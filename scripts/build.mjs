// Builds the bundle in dist/ and the declarations in dist/types/. With --quiet it builds only what is out of date, and
// no declarations. Files are made in a folder of their own and renamed into place, so that commands and tests that run
// meanwhile find each of them, old or new.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CODE_DIGEST } from "./code-digest.mjs";
import { replaceFiles } from "./replace-files.mjs";
import { bundleScript, VERSION_ONLY } from "./script.mjs";

const { cacheOf } = createRequire(import.meta.url)("../bin/load.js");

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
/** Where files are made. */
const made = join(dist, `.new-${process.pid}`);
const quiet = process.argv.includes("--quiet");

/** The time of the newest change of a file, or below a folder, in milliseconds. */
const newest = (path) =>
  statSync(path).isDirectory()
    ? Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
    : statSync(path).mtimeMs;

/** Leaves out the modules of all commands except those that match: bin/load.js runs no other command of that bundle. */
function without(kept) {
  const setup = ({ onResolve }) =>
    onResolve({ filter: /^\.\/commands\/[a-z-]+\.js$/ }, ({ path, importer }) =>
      importer.endsWith("/src/cli/commands.ts") && !kept.test(path) ? { path, external: true } : undefined,
    );
  return { name: "without", setup };
}

/** The files whose code is in a bundle. */
const bundledFiles = ({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));

/** The packages that a bundle contains, by their names in package-lock.json: the SBOM and the licences list them. */
function packagesOf(files) {
  const folders = Array.from(
    files,
    (path) => /\bnode_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0],
  );
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

const scripts = ["build", "script", "code-digest"].map((name) => `scripts/${name}.mjs`);
const sources = ["src", "bin/code-cache.mjs", "package.json", "package-lock.json", ...scripts].map((name) =>
  join(root, name),
);
const stamp = join(dist, "command.cjs");
const stale = !existsSync(stamp) || Math.max(...sources.map(newest)) > statSync(stamp).mtimeMs;

if (!quiet || stale) {
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  const modules = await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: {
      index: "src/index.ts",
      launcher: "src/gate/run/launcher.ts",
      "engine-thread": "src/engine/threads/thread.ts",
      "pod-reader": "src/gate/agent/kubernetes/pod-reader.ts",
    },
    outdir: made,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    platform: "node",
    target: "node20.19",
    minifySyntax: true,
    legalComments: "linked",
    // koffi looks for its binaries in its own folder.
    external: ["koffi"],
    plugins: [VERSION_ONLY],
    // Bundled CommonJS libraries call `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    define: CODE_DIGEST,
    logLevel: "warning",
  });
  const bundled = new Set(bundledFiles(modules.metafile));
  // Commands are one script. Some have a smaller one, and so has the gate's decision thread: see bin/load.js.
  for (const [name, entry, plugins] of [
    ["command", "src/cli/main.ts", []],
    ["gate", "src/cli/main.ts", [without(/^\.\/commands\/(?:run|agent)\.js$/)]],
    ["kernel", "src/cli/main.ts", [without(/^\.\/commands\/(?:resolve|list)\.js$/)]],
    ["thread", "src/gate/worker/gate-thread.ts", []],
    ["gate-blocking-worker", "src/gate/task/blocking/blocking-worker.ts", []],
    ["gate-denial-thread", "src/gate/agent/rejected/denial-thread.ts", []],
    ["sigstore", "src/trust/sigstore/library.ts", []],
  ]) {
    const { metafile } = await bundleScript(join(root, entry), join(made, `${name}.cjs`), plugins);
    for (const path of bundledFiles(metafile)) bundled.add(path);
  }
  // The script and the style of the page that `report` writes.
  const page = await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: { report: "src/workbench/page/main.ts" },
    outdir: made,
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
  });
  for (const path of bundledFiles(page.metafile)) bundled.add(path);
  const styles = ["node_modules/uplot/dist/uPlot.min.css", "src/workbench/page/page.css"];
  writeFileSync(join(made, "report.css"), styles.map((path) => readFileSync(join(root, path), "utf8")).join("\n"));
  // It is loaded as it is, for the first policy in TypeScript.
  const stripper = "node_modules/@swc/wasm-typescript/wasm.js";
  copyFileSync(join(root, stripper), join(made, "strip-types.cjs"));
  bundled.add(stripper);
  writeFileSync(join(made, "packages.json"), `${JSON.stringify(packagesOf(bundled), null, 2)}\n`);
  // What `seal` gives to the kernel. Neither is compiled here: they are the same on every machine.
  mkdirSync(join(made, "seal"));
  for (const file of ["guard/guard.bpf.o", "loader/loader.bin", "attacks/attacks.bin"])
    copyFileSync(join(root, "src/seal", file), join(made, "seal", basename(file)));
  writeFileSync(join(made, "gate-thread.cjs"), 'require("../bin/load.js").load("thread");\n');
  // Declarations take longer to build, and only the package needs them.
  const declarations = ["-p", "tsconfig.build.json", "--outDir", join(made, "types")];
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  if (!quiet) {
    const { status } = spawnSync(process.execPath, [compiler, ...declarations], { cwd: root, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
  replaceFiles(made, dist, {
    keeps: (name) => name.endsWith(".cache") || (quiet && name.startsWith("types/")),
    // V8 takes a cache for that of any script of the same length
    derived: (name, names) =>
      names.filter((other) => other.endsWith(".cache") && `${other.split(".")[0]}.cjs` === name),
  });
}

// Without a code cache for this version of node, commands only start more slowly.
for (const name of ["command", "gate", "kernel", "thread"])
  if (!existsSync(cacheOf(name)))
    spawnSync(process.execPath, [join(root, "bin/code-cache.mjs"), name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
