// Finds names of retired-names.txt that came back: `node scripts/retired-names.mjs [FOLDER]`. CHANGELOG.md may use
// them.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const LIST = "retired-names.txt";
const SKIPPED = new Set(["node_modules", ".git", "dist", "coverage", "CHANGELOG.md", LIST, "package-lock.json"]);
const TEXT = /\.(?:[cm]?[jt]s|md|sh|c|h|json|ya?ml)$/;
/** A comment of TypeScript: a line that begins with one, or what follows two slashes after a space. */
const COMMENT = /^\s*(?:\/?\*|\/\/).*|\s\/\/\s.*/;

const lines = readFileSync(new URL(LIST, import.meta.url), "utf8").split("\n");
/** The lines of a section of the list. */
const section = (name) => {
  const start = lines.findIndex((line) => line.startsWith(`[${name}:`));
  if (start < 0) throw new Error(`${LIST} has no section \`${name}\``);
  const end = lines.findIndex((line, index) => index > start && line.startsWith("["));
  return lines.slice(start + 1, end < 0 ? undefined : end).filter((line) => line !== "");
};
const identifiers = new RegExp(`(?<![\\w$])(?:${section("identifiers").join("|")})(?![\\w$])`);
const words = new RegExp(`\\b(?:${section("words").join("|")})\\b`, "i");

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
  const path = relative(root, file);
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    const comment = path.startsWith("src/") ? COMMENT.exec(line)?.[0] : undefined;
    const name = identifiers.exec(line)?.[0] ?? words.exec(comment ?? "")?.[0];
    if (name === undefined) continue;
    console.error(`${path}:${index + 1}: \`${name}\` is retired`);
    found += 1;
  }
}
console.log(`${files.length} files, ${found} retired names`);
process.exitCode = found === 0 ? 0 : 1;
