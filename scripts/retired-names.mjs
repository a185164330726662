// Finds terms of the user interface in retired-names.txt that came back: `node scripts/retired-names.mjs [FOLDER]`.
// CHANGELOG.md and tests may use them. Words that have a better one are in terms.json.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const LIST = "retired-names.txt";
const SKIPPED = new Set(["node_modules", ".git", "dist", "coverage", "test", "CHANGELOG.md", LIST]);
const TEXT = /\.(?:[cm]?[jt]s|md|sh|c|h|json|ya?ml|[1-8])$/;

const terms = readFileSync(new URL(LIST, import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const retired = new RegExp(`(?<![\\w$])(?:${terms.map((term) => term.replaceAll(".", "\\.")).join("|")})(?![\\w$])`);

const files = [];
const walk = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) walk(path);
    else if (entry.isFile() && TEXT.test(entry.name)) files.push(path);
  }
};
walk(root);

let found = 0;
for (const file of files) {
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    const term = retired.exec(line)?.[0];
    if (term === undefined) continue;
    console.error(`${relative(root, file)}:${index + 1}: \`${term}\` is retired`);
    found += 1;
  }
}
console.log(`${files.length} files, ${found} retired names`);
process.exitCode = found === 0 ? 0 : 1;
