// evaluated-modules.mjs [--root FOLDER]: how many modules of src/ some commands evaluate until they print their help,
// which is what each of their starts takes at least. Fails if one evaluates more than MOST says. It bundles the command
// line as the build does, with a line in each module that counts it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleScript } from "./script.mjs";

/** The most modules by command. A figure may only shrink: whoever evaluates fewer lowers it. */
const MOST = { check: 44, log: 62, run: 40, verify: 85, "prove --help": 57 };

const [, , flag, folder] = process.argv;
const root = realpathSync(flag === "--root" ? resolve(folder) : fileURLToPath(new URL("..", import.meta.url)));
/** Has each module of src/ add its path to a list when it is evaluated. */
const counting = {
  name: "counting",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      if (!path.startsWith(`${root}/src/`)) return undefined;
      const line = `globalThis.__evaluated.push(${JSON.stringify(relative(root, path))});`;
      return { contents: `${line}\n${readFileSync(path, "utf8")}`, loader: "ts" };
    }),
};

const place = mkdtempSync(join(tmpdir(), "countersign-modules-"));
try {
  const bundle = join(place, "command.cjs");
  await bundleScript(join(root, "src/cli/main.ts"), bundle, [counting]);
  const start = `globalThis.__evaluated = [];
process.on("exit", () => process.stderr.write(JSON.stringify(globalThis.__evaluated)));
require(${JSON.stringify(bundle)}).run();`;
  writeFileSync(join(place, "start.cjs"), start);
  for (const [words, most] of Object.entries(MOST)) {
    const modules = evaluatedBy(words.split(" "));
    const more = modules.length > most;
    if (more) process.exitCode = 1;
    const remedy = more
      ? ": import less, or later by import()"
      : modules.length < most
        ? ": lower the figure in MOST"
        : "";
    console.log(`${words.padEnd(12)} ${modules.length} modules, at most ${most}${remedy}`);
  }
} finally {
  rmSync(place, { recursive: true });
}

/** The modules that a command evaluates, by their paths from the project. */
function evaluatedBy(words) {
  const help = words.includes("--help") ? words : [...words, "--help"];
  const { status, stderr } = spawnSync(process.execPath, [join(place, "start.cjs"), ...help], {
    cwd: place,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${help.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stderr);
}
