// Compares the relocator with libbpf, bpftool and cilium/ebpf on kernels of Debian's suites and on the running one: a
// row for each kernel and loader. Usage: node scripts/relocations.mjs [--json] [--separately] [KERNEL…]. Needs root and
// the packages of scripts/debian.sh; downloads 200 MB for each kernel, once. Fails if a program differs.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("../test/system/core", import.meta.url));
const {
  BpftoolRecorder,
  CiliumRecorder,
  DEBIAN_KERNELS,
  DEBIAN_LIBBPF,
  LibbpfRecorder,
  compareOn,
  debianLibbpf,
  testedObjects,
} = await importTests(
  `export { BpftoolRecorder } from "./bpftool-recorder.js";
   export { CiliumRecorder } from "./cilium-recorder.js";
   export { DEBIAN_KERNELS } from "./debian-kernels.js";
   export { DEBIAN_LIBBPF, debianLibbpf } from "./debian-libbpf.js";
   export { LibbpfRecorder } from "./libbpf-recorder.js";
   export { compareOn } from "./table.js";
   export { testedObjects } from "./tested-objects.js";`,
);

const flags = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const kernels = named.length > 0 ? named : ["running", ...Object.keys(DEBIAN_KERNELS)];
const json = flags.includes("--json");
const separately = flags.includes("--separately");

progress("compiling objects");
const objects = orExit(testedObjects());
const loaders = [
  ...Object.entries(DEBIAN_LIBBPF).map(([version, { variant, unknown }]) => [variant, () => libbpf(version), unknown]),
  ["libbpf-1.5", () => BpftoolRecorder.open()],
  ["cilium", () => CiliumRecorder.open()],
];
const rows = [];
const skipped = [];
for (const [variant, open, unknown = []] of loaders) {
  const recorder = open();
  if (typeof recorder === "string") {
    skipped.push(recorder);
    continue;
  }
  for (const kernel of kernels) {
    progress(`kernel ${kernel}, ${variant}`);
    const row = compareOn(kernel, recorder, variant, objects, { separately, unknown });
    if (typeof row === "string") skipped.push(row);
    else rows.push(row);
  }
  recorder.close();
}
progress("");

if (json) console.log(JSON.stringify({ rows, skipped }, summary, 2));
else print();
if (rows.length === 0 || rows.some(({ outcomes }) => outcomes.different > 0)) process.exitCode = 1;

function libbpf(version) {
  const found = debianLibbpf(version);
  return typeof found === "string" ? found : LibbpfRecorder.open(found.folder);
}

function print() {
  console.log("| kernel | loader | programs | identical | both refuse | target missing | different |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const { release, loader, programs, outcomes } of rows) {
    const { identical, refused, target, different } = outcomes;
    console.log(`| ${[release, loader, programs, identical, refused, target, different].join(" | ")} |`);
  }
  for (const reason of skipped) console.log(`skipped: ${reason}`);
  for (const { release, loader, differences } of rows)
    for (const { recording, detail } of differences)
      console.log(`${release}, ${loader}: ${recording.object}: ${recording.program}: ${detail}`);
}

/** Of a recording only its names, without instructions. */
function summary(key, value) {
  return key === "recording" ? { object: value.object, program: value.program } : value;
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function orExit(value) {
  if (typeof value !== "string") return value;
  console.error(value);
  process.exit(2);
}

/** Imports modules of the tests, which find their files by `import.meta.dirname`. */
async function importTests(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    plugins: [
      {
        name: "dirname",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8").replaceAll("import.meta.dirname", JSON.stringify(dirname(path))),
            loader: "ts",
          })),
      },
    ],
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
