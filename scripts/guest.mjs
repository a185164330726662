// Generates src/sandbox/guest.gen.ts from src/sandbox/guest/: the code that runs in every runtime before a policy. With
// --check it only reports whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const path = (name) => fileURLToPath(new URL(`../src/sandbox/${name}`, import.meta.url));

const { outputFiles } = buildSync({
  entryPoints: [path("guest/main.ts")],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  // Replaces the slots' constants by their numbers.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
});
const text = `(($integers,$doubles,$call,$settings)=>{"use strict";let $handles;${outputFiles[0].text.trim()}return $handles})`;
const made = `// Generated from src/sandbox/guest/ by scripts/guest.mjs\nexport const GUEST =\n  ${JSON.stringify(text)};\n`;

const file = path("guest.gen.ts");
if (process.argv.includes("--check")) {
  const current = readFileSync(file, "utf8") === made;
  if (!current) console.error("src/sandbox/guest.gen.ts is not current: run node scripts/guest.mjs");
  process.exitCode = current ? 0 : 1;
} else writeFileSync(file, made);
