// Checks the import rules of ARCHITECTURE.md: which folder of src/ may import which, in which order sub-folders may,
// that no folder imports files of a folder above it, and that neither files nor folders import each other in a circle,
// also by imports of types only. Folders import only each other's doors (DOORS), no file only re-exports, names that
// cross a top folder come from one file, and somebody imports each export. Prints what breaks a rule, and each circle
// with the imports that close it. With --root FOLDER it checks the src/ of that folder.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { deadExports, USERS } from "./arrows/dead-exports.mjs";
import { DOORS } from "./arrows/door-table.mjs";
import { closedDoors } from "./arrows/doors.mjs";
import { readModules } from "./arrows/modules.mjs";
import { ambiguousNames, reexportFiles } from "./arrows/names.mjs";

const [, , flag, folder] = process.argv;
const root = flag === "--root" ? resolve(folder) : fileURLToPath(new URL("..", import.meta.url));

/** The folders that each folder may import; `type:` allows only imports of types. */
const ARROWS = {
  cli: [
    "prove",
    "workbench",
    "seal",
    "gate",
    "loaded",
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
  loaded: ["sys", "bpf"],
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
/** Single files that a folder may import besides: names that it needs whole, and that come from one file. */
const FILE_ARROWS = {
  gate: ["policy/model/current", "trust/store"],
  seal: ["config/subject-fields", "policy/model/current"],
  config: ["bpf/model/command-fields", "bpf/model/commands", "bpf/model/program-fields", "sandbox/shared/limits"],
};
/** Files directly in src/ that every folder may import. */
const FOR_ALL = [
  "absent-bytes",
  "cache-folder",
  "capability",
  "clipped",
  "errno",
  "error",
  "fact-type",
  "html-page",
  "input",
  "installed",
  "known-fact",
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
    "witness/loaded-attachments.ts",
    "witness/engine-answer.ts",
    "witness/engine-decision.ts",
    "witness/input.ts",
    "property/evaluated-property.ts",
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
  "tar-stream": "loaded/reads",
  commander: "cli",
  pino: "log",
  "js-yaml": "config",
  zod: "config",
};

const modules = readModules(root, USERS);
const files = [...modules.keys()].filter((path) => path.startsWith("src/"));
const broken = [];
/** The files that each file of src/ imports, by their paths from there. */
const imports = new Map(files.map((path) => [path.slice(4), []]));
for (const path of files) {
  const place = path.slice(4);
  const room = place.includes("/") ? place.split("/")[0] : "";
  if (room === "") continue; // public interface and shared files
  const arrows = ARROWS[room];
  if (arrows === undefined) broken.push(`${path}: \`${room}\` is no folder of ARCHITECTURE.md`);
  for (const { target: name, isType, line } of modules.get(path).imports) {
    if (!name.startsWith("src/")) {
      const keeper = KEEPERS[name];
      if (keeper !== undefined && !place.startsWith(`${keeper}/`) && !isType)
        broken.push(`${path}:${line}: only src/${keeper} may import \`${name}\``);
      if (name.includes("/") && modules.has(name)) broken.push(`${path}:${line}: may not import \`${name}\``);
      continue;
    }
    const target = name.slice(4);
    imports.get(place).push(target);
    const other = target.includes("/") ? target.split("/")[0] : "";
    if (other === room) {
      broken.push(...upward(room, place, target, line));
      continue;
    }
    const file = target.replace(/\.ts$/, "");
    if (other === "" && FOR_ALL.includes(file)) continue;
    if (arrows?.includes(other) || FILE_ARROWS[room]?.includes(file) || (isType && arrows?.includes(`type:${other}`)))
      continue;
    broken.push(`${path}:${line}: \`${room}\` may not import \`${target}\`${isType ? " (a type)" : ""}`);
  }
}
broken.push(...circles(imports).map((way) => `a circle: ${way.map((file) => `src/${file}`).join(" -> ")}`));
broken.push(
  ...closedDoors(modules, DOORS),
  ...ofFolders(),
  ...reexportFiles(modules),
  ...ambiguousNames(modules),
  ...deadExports(modules),
);
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
