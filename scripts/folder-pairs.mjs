// folder-pairs.mjs [--json]: which folders of src/ call which during one decision. Builds a copy of the project in
// which each exported function and each method of an exported class records its caller's folder and its own, makes
// offline decisions with `check` and live ones with `run`, and prints the distinct pairs of folders, the calls between
// them, and the pairs that occur in both directions. A live decision needs root, bpftool and a kernel that has BPF.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { simple } from "acorn-walk";
import { transformSync } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The function that makes a decision, by file and name; calls outside of it are not recorded. */
const DECISIONS = {
  "engine/file-decisions.ts decideFile": "offline",
  "gate/worker/notification-handler.ts serve": "live",
};
/** The most pairs that a decision may have. */
const MOST = { offline: 12, live: 20 };

if (process.argv.includes("--help")) {
  console.log("usage: node scripts/folder-pairs.mjs [--json]\n\nexample: node scripts/folder-pairs.mjs");
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
  const note = (folder) => {
    const frame = frames.getStore();
    if (frame === undefined || frame.folder === folder) return frame;
    const pair = frame.folder + " -> " + folder;
    frame.calls.set(pair, (frame.calls.get(pair) ?? 0) + 1);
    return frame;
  };
  const write = (decision, calls) => __append(${JSON.stringify(records)}, JSON.stringify({ decision, calls: [...calls] }) + "\\n");
  const run = (folder, decision, body) => {
    const frame = decision === null ? note(folder) : { calls: new Map() };
    if (frame === undefined) return body();
    const result = frames.run({ folder, calls: frame.calls }, body);
    if (decision === null) return result;
    if (typeof result?.then !== "function") write(decision, frame.calls);
    else result.then(() => write(decision, frame.calls));
    return result;
  };
  return { note, run };
})();`;

try {
  for (const name of [
    "src",
    "scripts",
    "bin",
    "types",
    "examples",
    "policies",
    "schema",
    "docs",
    "package.json",
    "package-lock.json",
  ])
    cpSync(join(root, name), join(place, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  for (const file of readdirSync(join(place, "src"), { recursive: true })) if (isRecorded(file)) record(file);
  execFileSync(process.execPath, [join(place, "scripts/build.mjs"), "--quiet"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const command = join(place, "bin/countersign.js");
  const countersign = (words, output) =>
    spawnSync(process.execPath, [command, ...words], { cwd: place, stdio: ["ignore", output, "inherit"] });
  const object = join(place, "examples/drop-telnet.o");
  countersign(["init", "platform"], "ignore");
  writeFileSync(join(place, "countersign.yaml"), CONFIG);
  const signer = ["--key", "platform/keys/signer.key", "--cert", "platform/certs/signer.pem"];
  countersign(["sign", ...signer, "--programs", object], "ignore");
  countersign(["check", object], "ignore");
  const pin = `/sys/fs/bpf/countersign-folder-pairs-${process.pid}`;
  if (process.getuid?.() === 0 && spawnSync("bpftool", ["version"]).status === 0)
    countersign(["run", "--quiet", "--", "sh", "-c", LOADS, object, pin], "ignore");
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
  return (
    file.endsWith(".ts") && !/\.(gen|d)\.ts$/.test(file) && !file.startsWith("sandbox/guest/") && file.includes("/")
  );
}

/** Rewrites a source so that its exported functions record their calls. */
function record(file) {
  const path = join(place, "src", file);
  const { code } = transformSync(readFileSync(path, "utf8"), { loader: "ts", target: "es2022" });
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
    const folder = JSON.stringify(folderOf(file));
    if (body.type !== "BlockStatement") {
      edits.push([body.start, `globalThis.__pairs.run(${folder}, null, () => (`], [body.end, "))"]);
    } else if (isConstructor || generator) edits.push([body.start + 1, `globalThis.__pairs.note(${folder});`]);
    else {
      const open = `return globalThis.__pairs.run(${folder}, ${JSON.stringify(decision ?? null)}, ${async ? "async " : ""}() => {`;
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
  writeFileSync(path, `${RUNTIME}\n${text}`);
}

function report() {
  const lines = existsSync(records) ? readFileSync(records, "utf8").trim().split("\n") : [];
  const all = lines.map((line) => JSON.parse(line));
  const results = {};
  for (const decision of Object.keys(MOST)) {
    const ofThis = all.filter((each) => each.decision === decision && isWhole(each));
    if (ofThis.length === 0) continue;
    // the last one: the first also pays for what is read once
    const last = ofThis.at(-1);
    const pairs = Object.fromEntries(last.calls.sort((a, b) => b[1] - a[1]));
    const bothWays = Object.keys(pairs).filter((pair) => pair.split(" -> ").reverse().join(" -> ") in pairs);
    results[decision] = { pairs, bothWays, calls: Object.values(pairs).reduce((sum, count) => sum + count, 0) };
  }
  if (process.argv.includes("--json")) console.log(JSON.stringify(results, null, 2));
  else
    for (const [decision, { pairs, bothWays, calls }] of Object.entries(results)) {
      console.log(
        `one ${decision} decision: ${Object.keys(pairs).length} pairs (at most ${MOST[decision]}), ${calls} calls`,
      );
      for (const [pair, count] of Object.entries(pairs)) console.log(`${String(count).padStart(6)}  ${pair}`);
      console.log(`  in both directions: ${bothWays.length === 0 ? "none" : bothWays.join(", ")}\n`);
    }
  const exceeds = ([decision, { pairs, bothWays }]) =>
    Object.keys(pairs).length > MOST[decision] || bothWays.length > 0;
  process.exitCode = Object.keys(results).length === 0 || Object.entries(results).some(exceeds) ? 1 : 0;
}

/** A live decision for which a policy was asked; most notifications are of other calls. */
function isWhole({ decision, calls }) {
  return decision !== "live" || calls.some(([pair]) => pair.startsWith("policy "));
}
