import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** A file all of whose tests are deep, and one in which some are. */
export const DEEP_FILE = /^\/\/ @module-tag deep$/m;
export const DEEP_TEST = /\btags: \["deep"\]/;
/** Where tests that need no root are. */
const FOLDERS = ["test/unit", "test/conformance", "test/hostile", "policies"];
/** What starts a process or a thread, or reads what was built. */
const STARTS = /\b(?:spawn|spawnSync|execFile|execFileSync|fork|Worker)\(|\bdist\//;

/** Paths of files of tests, relative to the root. */
export function testFiles(root) {
  const below = (folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  return FOLDERS.flatMap(below).filter((path) => path.endsWith(".test.ts"));
}

/** Those that have a deep test. */
export function deepFiles(root, files) {
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  return files.filter((_, index) => DEEP_FILE.test(texts[index]) || DEEP_TEST.test(texts[index]));
}

/** Files of tests that start a process: they, or what they import of test/, or the project `commands` has them. */
export function processFiles(root, files) {
  const config = readFileSync(join(root, "vitest.config.ts"), "utf8");
  return files.filter((file) => config.includes(`"${file}"`) || startsProcess(root, file));
}

function startsProcess(root, file, seen = new Set()) {
  if (seen.has(file) || !existsSync(join(root, file))) return false;
  seen.add(file);
  const text = readFileSync(join(root, file), "utf8");
  if (STARTS.test(text)) return true;
  const imported = Array.from(text.matchAll(/ from "(\.[^"]+)\.js"/g), ([, path]) =>
    normalize(join(dirname(file), path)),
  );
  return imported.some((path) => path.startsWith("test/") && startsProcess(root, `${path}.ts`, seen));
}
