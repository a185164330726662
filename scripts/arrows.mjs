// Checks the import rules of ARCHITECTURE.md: which folder of src/ may import which. Prints each import that breaks a
// rule and each cycle of files, also if it consists of type imports only.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** The folders that each folder may import; `type:` allows only imports of types. */
const ARROWS = {
  cli: ["gate", "engine", "config", "hooks", "policy", "log", "sandbox", "trust", "bpf"],
  gate: ["engine", "bpf", "log", "type:config", "type:hooks", "type:policy"],
  engine: ["config", "hooks", "policy", "log", "sandbox", "trust", "bpf"],
  config: ["hooks", "policy", "trust"],
  hooks: ["policy", "type:bpf"],
  policy: ["sandbox"],
  log: ["type:hooks", "type:policy"],
  sandbox: [],
  trust: [],
  bpf: [],
};
/** Files directly in src/ that every folder may import. */
const FOR_ALL = ["errno", "error", "input", "installed", "lru-cache", "version", "warning"];
/** Packages that only one folder may import. */
const KEEPERS = {
  koffi: "gate/sys",
  "@kubernetes/client-node": "gate/agent/kubernetes",
  "@jitl/quickjs-ffi-types": "sandbox",
  acorn: "policy",
  "acorn-walk": "policy",
  "@swc/wasm-typescript": "policy",
  pkijs: "trust",
  "@sigstore/bundle": "trust/sigstore",
  "@sigstore/core": "trust/sigstore",
  "@sigstore/verify": "trust/sigstore",
  "cli-progress": "cli",
  commander: "cli",
  pino: "log",
  "js-yaml": "config",
  zod: "config",
};

const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath, entry.name));
const IMPORT =
  /\b(import|export)\s+(type\s+)?((?:[\w*{][^;"']*?)\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

const broken = [];
/** The files that each file imports. */
const imports = new Map(files.map((file) => [relative(src, file), []]));
for (const file of files) {
  const place = relative(src, file);
  const room = place.includes("/") ? place.split("/")[0] : "";
  if (room === "") continue; // public interface and shared files
  const arrows = ARROWS[room];
  if (arrows === undefined) broken.push(`src/${place}: \`${room}\` is no folder of ARCHITECTURE.md`);
  for (const match of readFileSync(file, "utf8").matchAll(IMPORT)) {
    const name = match[4] ?? match[5];
    const names = match[3] ?? "";
    const typeOnly = match[2] !== undefined || /^\{(\s*type\s+[\w\s]+,?)+\s*\}\s+from/.test(names);
    const line = readFileSync(file, "utf8").slice(0, match.index).split("\n").length;
    if (!name.startsWith(".")) {
      const keeper = KEEPERS[name];
      if (keeper !== undefined && !place.startsWith(`${keeper}/`) && !typeOnly)
        broken.push(`src/${place}:${line}: only src/${keeper} may import \`${name}\``);
      continue;
    }
    const target = relative(src, resolve(dirname(file), name));
    imports.get(place).push(target.replace(/\.js$/, ".ts"));
    const other = target.includes("/") ? target.split("/")[0] : "";
    if (target.startsWith("..") || other === room) continue;
    if (other === "" && FOR_ALL.includes(target.replace(/\.js$/, ""))) continue;
    if (arrows?.includes(other) || (typeOnly && arrows?.includes(`type:${other}`))) continue;
    broken.push(`src/${place}:${line}: \`${room}\` may not import \`${target}\`${typeOnly ? " (a type)" : ""}`);
  }
}
broken.push(...circles());
for (const line of broken) console.error(line);
console.log(`${files.length} files, ${broken.length} arrows broken`);
process.exitCode = broken.length === 0 ? 0 : 1;

/** Import cycles: one for each file that closes a cycle. */
function circles() {
  const found = [];
  const done = new Set();
  const visit = (file, way) => {
    const start = way.indexOf(file);
    if (start >= 0) found.push(`a circle: ${[...way.slice(start), file].map((each) => `src/${each}`).join(" -> ")}`);
    if (start >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}
