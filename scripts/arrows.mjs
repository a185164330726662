// Checks the import rules of ARCHITECTURE.md: which folder of src/ may import which, in which order sub-folders may,
// that no folder imports files of a folder above it, and that neither files nor folders import each other in a circle,
// also by imports of types only. Prints each import that breaks a rule, and each circle with the imports that close it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** The folders that each folder may import; `type:` allows only imports of types. */
const ARROWS = {
  cli: [
    "prove",
    "workbench",
    "seal",
    "gate",
    "sys",
    "engine",
    "config",
    "hooks",
    "policy",
    "log",
    "sandbox",
    "trust",
    "bpf",
  ],
  gate: ["sys", "engine", "bpf", "log", "type:config", "type:hooks", "type:policy"],
  seal: ["sys", "engine", "bpf", "trust", "log", "type:config", "type:hooks", "type:policy"],
  workbench: ["engine", "config", "hooks", "policy", "log", "sandbox", "trust", "bpf"],
  prove: ["engine", "config", "hooks", "policy", "sandbox", "trust", "bpf"],
  sys: [],
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
const FOR_ALL = [
  "cache-folder",
  "clipped",
  "errno",
  "error",
  "fact-type",
  "html-page",
  "input",
  "installed",
  "duplicate-key",
  "lru-cache",
  "monotonic",
  "nearest",
  "package-path",
  "path-places",
  "read-full",
  "statement-line",
  "time-limit",
  "version",
  "visible-text",
  "warning",
];
/** The sub-folders of a folder in the order of ARCHITECTURE.md: each imports only those after it. */
const STACKS = {
  gate: ["run", "agent", "supervisor", "worker", "messages", "commands", "recognition", "call", "task", "decisions"],
  seal: [
    ...["build", "plan", "doctor", "status", "attacks", "virtual-machine", "agent"],
    ...["initramfs", "files", "image", "loader", "list", "classes", "guard"],
  ],
};
/**
 * What of its own folder a sub-folder may import, without anything else: sub-folders and files. The checker of
 * certificates is independent of the explorer that makes them, of its solver, and of what they use; it only shares the
 * question to the engine.
 */
const APART = {
  "prove/check": [
    "facts/",
    "shared/",
    "witness/loaded-attachments.js",
    "witness/engine-answer.js",
    "witness/engine-decision.js",
    "witness/input.js",
    "property/evaluated-property.js",
  ],
};
/** Packages that only one folder may import. */
const KEEPERS = {
  koffi: "sys",
  "@kubernetes/client-node": "gate/agent/kubernetes",
  "@jitl/quickjs-ffi-types": "sandbox",
  acorn: "policy",
  "acorn-walk": "policy",
  "@swc/wasm-typescript": "policy",
  pkijs: "trust",
  canonicalize: "bpf/statement",
  "@sigstore/bundle": "trust/sigstore",
  "@sigstore/core": "trust/sigstore",
  "@sigstore/verify": "trust/sigstore",
  "cli-progress": "cli",
  uplot: "workbench/page",
  "xz-decompress": "cli/kernel",
  "zstddec/stream": "cli/kernel",
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
    if (target.startsWith("..") || other === room) {
      broken.push(...upward(room, place, target, line));
      continue;
    }
    if (other === "" && FOR_ALL.includes(target.replace(/\.js$/, ""))) continue;
    if (arrows?.includes(other) || (typeOnly && arrows?.includes(`type:${other}`))) continue;
    broken.push(`src/${place}:${line}: \`${room}\` may not import \`${target}\`${typeOnly ? " (a type)" : ""}`);
  }
}
broken.push(...circles(imports).map((way) => `a circle: ${way.map((file) => `src/${file}`).join(" -> ")}`));
broken.push(...ofFolders());
for (const line of broken) console.error(line);
console.log(`${files.length} files, ${broken.length} arrows broken`);
process.exitCode = broken.length === 0 ? 0 : 1;

/** An import between sub-folders of `room` against the order of its stack. */
function upward(room, place, target, line) {
  const [from, to] = [place, target].map((path) => path.split("/").slice(1, -1)[0]);
  const allowed = APART[`${room}/${from}`];
  const its = target.slice(room.length + 1);
  if (allowed !== undefined && to !== from && !allowed.some((one) => its.startsWith(one)))
    return [`src/${place}:${line}: \`${room}/${from}\` may not import \`${target}\``];
  const stack = STACKS[room];
  if (stack === undefined || from === undefined || to === undefined || from === to) return [];
  const missing = [from, to].find((folder) => !stack.includes(folder));
  if (missing !== undefined)
    return [`src/${place}: \`${room}/${missing}\` is in no table of ARCHITECTURE.md and of STACKS`];
  if (stack.indexOf(from) < stack.indexOf(to)) return [];
  return [`src/${place}:${line}: \`${room}/${from}\` may not import \`${target}\`, which ARCHITECTURE.md has above it`];
}

/** The circles of a graph: for each edge that closes one, its nodes in order. */
function circles(graph) {
  const found = [];
  const done = new Set();
  const follow = (node, way) => {
    const start = way.indexOf(node);
    if (start >= 0) found.push([...way.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) follow(next, [...way, node]);
    done.add(node);
  };
  for (const node of graph.keys()) follow(node, []);
  return found;
}

/**
 * The files directly in a folder are its interface: its sub-folders may not import them. What several sub-folders use
 * is in a sub-folder of its own.
 */
function ofFolders() {
  const found = [];
  const folders = new Map();
  const examples = new Map();
  for (const [file, targets] of imports) {
    const folder = dirname(file);
    if (folder === ".") continue;
    for (const target of targets) {
      const other = dirname(target);
      if (other === "." || other === folder) continue;
      if (folder.startsWith(`${other}/`)) found.push(`src/${file}: imports \`${target}\` from a folder above its own`);
      if (!folders.has(folder)) folders.set(folder, new Set());
      folders.get(folder).add(other);
      examples.set(`${folder} ${other}`, `${file} -> ${target}`);
    }
  }
  for (const way of circles(folders)) {
    const steps = way.slice(1).map((folder, index) => examples.get(`${way[index]} ${folder}`));
    found.push(`a circle of folders: ${way.join(" -> ")} (${steps.join(", ")})`);
  }
  return found;
}
