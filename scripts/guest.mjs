// Generates the code of the sandbox: src/sandbox/guest.gen.ts from src/sandbox/guest/, which runs in every runtime
// before a policy, and src/prove/explorer/explorer.gen.ts from src/prove/guest/, a module that rewritten policies
// import. With --check it only reports whether the files are current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

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
write("sandbox/guest.gen.ts", "src/sandbox/guest/", "GUEST", `${opening}${guest}return $handles})`);
write(
  "prove/explorer/explorer.gen.ts",
  "src/prove/guest/",
  "EXPLORER",
  // Each exploration parses and compiles it: short names save a third of that.
  bundle("prove/guest/main.ts", { external: ["countersign"], minifyIdentifiers: true }),
);

function write(name, from, constant, text) {
  const made = `// Generated from ${from} by scripts/guest.mjs\nexport const ${constant} =\n  ${JSON.stringify(text)};\n`;
  const file = path(name);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, made);
    return;
  }
  if (readFileSync(file, "utf8") === made) return;
  console.error(`src/${name} is not current: run node scripts/guest.mjs`);
  process.exitCode = 1;
}
