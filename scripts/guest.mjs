// Generates the code of the sandbox: src/sandbox/guest.gen.ts from src/sandbox/guest/, which runs in every runtime
// before a policy, and src/prove/explorer/explorer.gen.ts from src/prove/guest/, a module that rewritten policies
// import, linked as the library of them. With --check it only reports whether the files are current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { importSources } from "./sources.mjs";

const path = (name) => fileURLToPath(new URL(`../src/${name}`, import.meta.url));

function bundle(entry, more = {}) {
  const { outputFiles } = buildSync({
    entryPoints: [path(entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    // Replaces the slots' constants by their numbers.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    ...more,
  });
  return outputFiles[0].text.trim();
}

const guest = bundle("sandbox/guest/main.ts");
const opening = '(($integers,$doubles,$call,$settings)=>{"use strict";let $handles;';
write("sandbox/guest.gen.ts", "src/sandbox/guest/", { GUEST: `${opening}${guest}return $handles})` });
const { assembleLibrary, LinkTime, readUnits } = await importSources(`
  export { assembleLibrary } from "./src/policy/linker/library.js";
  export { LinkTime } from "./src/policy/syntax/link-time.js";
  export { readUnits } from "./src/policy/units/units.js";
`);
// Each process compiles it: short names save a third of that.
const explorer = bundle("prove/guest/main.ts", { external: ["countersign"], minifyIdentifiers: true });
const [unit] = readUnits("explorer.js", { read: () => explorer, root: "." }, new LinkTime("explorer.js"));
write("prove/explorer/explorer.gen.ts", "src/prove/guest/", {
  EXPLORER: assembleLibrary(unit),
  EXPORTS: [...unit.exports.keys()],
});

function write(name, from, constants) {
  const texts = Object.entries(constants).map(([constant, value]) => {
    return `export const ${constant} =\n  ${JSON.stringify(value)};\n`;
  });
  const made = `// Generated from ${from} by scripts/guest.mjs\n${texts.join("")}`;
  const file = path(name);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, made);
    return;
  }
  if (readFileSync(file, "utf8") === made) return;
  console.error(`src/${name} is not current: run node scripts/guest.mjs`);
  process.exitCode = 1;
}
