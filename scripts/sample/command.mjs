import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { draw } from "./draw.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** All TypeScript files of src/, in a fixed order. Files made by scripts are left out. */
export function sourceFiles() {
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".gen.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
}

/** The folder directly in src/ that a file is in. */
function folderOf({ file }) {
  return file.split("/").slice(0, -1).slice(0, 2).join("/");
}

/**
 * Runs a command that prints a random sample of src/.
 * @param {object} command
 * @param {string} command.what names the items in the plural
 * @param {number} command.count how many are printed without --count
 * @param {string} command.help
 * @param {() => object[]} command.items
 * @param {(item: object) => string} command.print
 */
export function runSample({ what, count: usual, help, items, print }) {
  const options = {
    seed: { type: "string" },
    count: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  };
  let values;
  try {
    ({ values } = parseArgs({ options }));
    if (values.seed !== undefined && !/^[0-9a-f]{8}$/.test(values.seed))
      throw new Error(`the seed \`${values.seed}\` is not 8 lower-case hex digits`);
    if (values.count !== undefined && !/^[1-9]\d{0,5}$/.test(values.count))
      throw new Error(`the count \`${values.count}\` is not a number from 1 to 999999`);
  } catch (error) {
    console.error(`${error.message}; see --help`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    console.log(help);
    return;
  }
  const seed = values.seed ?? head().slice(0, 8);
  const all = items();
  const sample = draw(all, Number(values.count ?? usual), seed, folderOf);
  const folders = [...new Set(all.map(folderOf))].map((folder) => ({
    folder,
    all: all.filter((item) => folderOf(item) === folder).length,
    sample: sample.filter((item) => folderOf(item) === folder).length,
  }));
  if (values.json) {
    console.log(JSON.stringify({ seed, all: all.length, folders, sample }, null, 2));
    return;
  }
  process.stdout.on("error", ignoreClosedPipe);
  console.log(`# ${sample.length} of ${all.length} ${what}, seed ${seed}\n`);
  console.log(folders.map((one) => `${one.folder}: ${one.sample} of ${one.all}`).join("\n"));
  for (const [index, item] of sample.entries())
    console.log(`\n## ${index + 1}. ${item.file}:${item.line}\n\n${print(item)}`);
}

/** For a reader such as `head` that closes the pipe early. */
function ignoreClosedPipe(error) {
  if (error.code !== "EPIPE") throw error;
}

function head() {
  return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
}
