// folder-pairs.mjs [--live] [--json]: which files and folders of src/ call which during one decision. Bundles the
// command line so that each exported function and each method of an exported class records its caller's file and its
// own, makes offline decisions with `check`, and with --live also decisions of `run`. Prints the files that take part,
// the calls between files, the pairs of folders that call each other, and the pairs that occur in both directions. It
// only reports, and fails if there was no decision. A live one needs the build, root, bpftool and a kernel that has
// BPF, and loads programs there.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { simple } from "acorn-walk";
import { transformSync } from "esbuild";
import { bundleScript } from "./script.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The function that makes a decision, by file and name; calls outside of it are not recorded. */
const DECISIONS = {
  "engine/file-decisions.ts decideFile": "offline",
  "gate/worker/notification-handler.ts serve": "live",
};
/** The most pairs of folders that a decision should have. */
const MOST = { offline: 12, live: 20 };

const isLive = process.argv.includes("--live");
if (process.argv.includes("--help")) {
  console.log(
    "usage: node scripts/folder-pairs.mjs [--live] [--json]\n\nexample: node scripts/folder-pairs.mjs --json",
  );
  process.exit(0);
}
/** One policy that verifies a signature; in audit, because bpftool loads feature probes that nobody signs. */
const CONFIG = `version: 1
keyrings: { platform: { trust: [platform/certs/ca.pem] } }
attachments: [{ policy: policies/verify-all.js, mode: audit }]
signatures: [signatures/]
`;
/** Two loads by bpftool, each with its feature probes. */
const LOADS = 'for time in 1 2; do bpftool prog load "$0" "$1" && rm "$1"; done';
const place = mkdtempSync(join(tmpdir(), "countersign-folder-pairs-"));
const records = join(place, "records");
/** Defines `__pairs`: the callers of a context, followed across `await`, and the calls of the present decision. */
const RUNTIME = `import { AsyncLocalStorage as __Storage } from "node:async_hooks";
import { appendFileSync as __append } from "node:fs";
globalThis.__pairs ??= (() => {
  const frames = new __Storage();
  const note = (file) => {
    const frame = frames.getStore();
    if (frame === undefined || frame.file === file) return frame;
    const pair = frame.file + " -> " + file;
    frame.calls.set(pair, (frame.calls.get(pair) ?? 0) + 1);
    return frame;
  };
  const write = (decision, calls) => __append(${JSON.stringify(records)}, JSON.stringify({ decision, calls: [...calls] }) + "\\n");
  const run = (file, decision, body) => {
    const frame = decision === null ? note(file) : { calls: new Map() };
    if (frame === undefined) return body();
    const result = frames.run({ file, calls: frame.calls }, body);
    if (decision === null) return result;
    if (typeof result?.then !== "function") write(decision, frame.calls);
    else result.then(() => write(decision, frame.calls));
    return result;
  };
  return { note, run };
})();`;
/** The bundles of `check`, `run` and the gate's decision thread, by their entries. */
const BUNDLES = {
  command: "cli/main.ts",
  ...(isLive ? { gate: "cli/main.ts", thread: "gate/worker/gate-thread.ts" } : {}),
};
const recorded = new Map();

try {
  cpSync(join(root, "bin"), join(place, "bin"), { recursive: true });
  // the gate's launcher and its other threads
  const filter = (path) => !/\.cache$|\/dist\/types/.test(path);
  if (isLive) cpSync(join(root, "dist"), join(place, "dist"), { recursive: true, filter });
  for (const name of ["node_modules", "package.json", "types", "examples", "policies", "schema"])
    symlinkSync(join(root, name), join(place, name));
  for (const [name, entry] of Object.entries(BUNDLES))
    await bundleScript(join(root, "src", entry), join(place, "dist", `${name}.cjs`), [recording()]);
  // as if another process made V8's code caches: one that made them now would still write when the folder is removed
  writeFileSync(join(place, "dist/.code-caches"), "");
  const command = join(place, "bin/countersign.js");
  const countersign = (...words) => {
    const { status, stderr } = spawnSync(process.execPath, [command, ...words], {
      cwd: place,
      encoding: "utf8",
      env: { ...process.env, XDG_CACHE_HOME: join(place, "cache") },
    });
    if (status !== 0) throw new Error(`\`countersign ${words[0]}\` ended with ${status}: ${stderr}`);
  };
  const object = join(place, "drop-telnet.o");
  cpSync(join(root, "examples/drop-telnet.o"), object);
  countersign("init", "platform");
  writeFileSync(join(place, "countersign.yaml"), CONFIG);
  const signer = ["--key", "platform/keys/signer.key", "--cert", "platform/certs/signer.pem"];
  countersign("sign", ...signer, "--programs", object);
  countersign("check", object);
  const pin = `/sys/fs/bpf/countersign-folder-pairs-${process.pid}`;
  if (isLive) countersign("run", "--quiet", "--", "sh", "-c", LOADS, object, pin);
  rmSync(pin, { force: true });
  report();
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** A folder of src/; in src/gate, whose folders are a stack of their own, a folder of that. */
function folderOf(file) {
  return file
    .split("/")
    .slice(0, file.startsWith("gate/") ? 2 : 1)
    .join("/");
}

function isRecorded(file) {
  return !/\.(gen|d)\.ts$/.test(file) && !file.startsWith("sandbox/guest/") && file.includes("/");
}

/** Bundles the files of src/ so that they record their calls. */
function recording() {
  const setup = ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative(join(root, "src"), path);
      if (file.startsWith("..") || !isRecorded(file)) return undefined;
      if (!recorded.has(file)) recorded.set(file, record(file));
      return { contents: recorded.get(file), loader: "js" };
    });
  return { name: "recording", setup };
}

/** A source as JavaScript in which the exported functions record their calls. */
function record(file) {
  const { code } = transformSync(readFileSync(join(root, "src", file), "utf8"), { loader: "ts", target: "es2022" });
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "module" });
  const exported = new Set();
  simple(tree, {
    ExportNamedDeclaration({ declaration, specifiers }) {
      for (const { local } of specifiers) exported.add(local.name);
      if (declaration?.id) exported.add(declaration.id.name);
      for (const { id } of declaration?.declarations ?? []) exported.add(id.name);
    },
  });
  const edits = [];
  const wrap = (name, { body, async, generator }, isConstructor = false) => {
    const decision = DECISIONS[`${file} ${name}`];
    const caller = JSON.stringify(file);
    if (body.type !== "BlockStatement") {
      edits.push([body.start, `globalThis.__pairs.run(${caller}, null, () => (`], [body.end, "))"]);
    } else if (isConstructor || generator) edits.push([body.start + 1, `globalThis.__pairs.note(${caller});`]);
    else {
      const open = `return globalThis.__pairs.run(${caller}, ${JSON.stringify(decision ?? null)}, ${async ? "async " : ""}() => {`;
      edits.push([body.start + 1, open], [body.end - 1, "});"]);
    }
  };
  simple(tree, {
    FunctionDeclaration: (node) => node.id !== null && exported.has(node.id.name) && wrap(node.id.name, node),
    VariableDeclarator({ id, init }) {
      if (init?.type === "ArrowFunctionExpression" && exported.has(id.name)) wrap(id.name, init);
      if (init?.type === "ClassExpression" && exported.has(id.name)) wrapClass(init);
    },
    ClassDeclaration: (node) => exported.has(node.id?.name) && wrapClass(node),
  });
  function wrapClass({ body }) {
    for (const { type, key, kind, value } of body.body)
      if (type === "MethodDefinition" && key.type !== "PrivateIdentifier")
        wrap(key.name, value, kind === "constructor");
  }
  // an insertion at the same place as another goes before it if it is further in
  const ordered = edits.map((edit, index) => [...edit, index]).sort((a, b) => b[0] - a[0] || b[2] - a[2]);
  let text = code;
  for (const [at, inserted] of ordered) text = text.slice(0, at) + inserted + text.slice(at);
  return `${RUNTIME}\n${text}`;
}

/** The pairs of the folders of files, and the calls between them, the most first. */
function betweenFolders(calls) {
  const pairs = new Map();
  for (const [pair, count] of calls) {
    const [from, to] = pair.split(" -> ").map(folderOf);
    if (from !== to) pairs.set(`${from} -> ${to}`, (pairs.get(`${from} -> ${to}`) ?? 0) + count);
  }
  return Object.fromEntries([...pairs].sort((a, b) => b[1] - a[1]));
}

function sum(counts) {
  return counts.reduce((total, count) => total + count, 0);
}

function report() {
  const lines = existsSync(records) ? readFileSync(records, "utf8").trim().split("\n") : [];
  const all = lines.map((line) => JSON.parse(line));
  const results = {};
  for (const decision of Object.keys(MOST)) {
    // the last one: the first also pays for what is read once
    const last = all.findLast((each) => each.decision === decision && isWhole(each));
    if (last === undefined) continue;
    const pairs = betweenFolders(last.calls);
    results[decision] = {
      files: new Set(last.calls.flatMap(([pair]) => pair.split(" -> "))).size,
      callsBetweenFiles: sum(last.calls.map(([, count]) => count)),
      calls: sum(Object.values(pairs)),
      pairs,
      bothWays: Object.keys(pairs).filter((pair) => pair.split(" -> ").reverse().join(" -> ") in pairs),
    };
  }
  if (process.argv.includes("--json")) console.log(JSON.stringify(results, null, 2));
  else for (const [decision, result] of Object.entries(results)) print(decision, result);
  const missing = (isLive ? ["offline", "live"] : ["offline"]).filter((decision) => !(decision in results));
  for (const decision of missing) console.error(`no ${decision} decision was recorded`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}

function print(decision, { files, callsBetweenFiles, calls, pairs, bothWays }) {
  console.log(`one ${decision} decision: ${files} files, ${callsBetweenFiles} calls between files`);
  const count = Object.keys(pairs).length;
  const excess = count > MOST[decision] ? `, more than ${MOST[decision]}` : "";
  console.log(`  ${count} pairs of folders${excess}, ${calls} calls`);
  for (const [pair, count] of Object.entries(pairs)) console.log(`${String(count).padStart(6)}  ${pair}`);
  console.log(`  in both directions: ${bothWays.length === 0 ? "none" : bothWays.join(", ")}\n`);
}

/** A live decision for which a policy was asked; most notifications are of other calls. */
function isWhole({ decision, calls }) {
  return decision !== "live" || calls.some(([pair]) => pair.includes("policy/"));
}
