// Counts the programs that are read-only in the BPF objects of Debian's packages, and says why the others are not.
//
//   node bench/read-only.mjs                       the packages below, of this checkout
//   node bench/read-only.mjs --checkout DIR        by the analysis of another checkout
//   node bench/read-only.mjs --json > before.json  for a comparison
//   node bench/read-only.mjs --compare before.json and whose read_only changed since
//   node bench/read-only.mjs PACKAGE or PATH…      other packages, files or folders
//
// Packages are fetched with `apt-get download` and unpacked in a temporary folder; nothing is installed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { importSources } from "../scripts/sources.mjs";

/** Those of trixie that hold BPF objects. bpftrace, bpfcc-tools and linux-perf make or hold none. */
const PACKAGES = [
  ...["libbpf-tools", "xdp-tools", "libxdp1", "xdp-tests", "bpftool", "bpftop", "bpftune", "libbpftune0", "pwru"],
  ...["pcp", "systemd", "suricata", "mimic", "opensnitch-ebpf-modules", "ir-keytable"],
  "golang-github-cilium-ebpf-dev",
];
/** Types of programs that only watch, unless they do something on purpose. */
const TRACERS = new Set(["kprobe", "tracepoint", "raw_tracepoint", "perf_event", "tracing"]);
/** \x7fELF, ELFCLASS64, ELFDATA2LSB */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const EM_BPF = 247;
/** Pieces of evidence that are printed for a program. */
const MOST_REASONS = 3;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { checkout: { type: "string" }, json: { type: "boolean" }, compare: { type: "string" } },
});
const root = resolve(options.checkout ?? join(import.meta.dirname, ".."));
const { factsOfFile, EFFECTS } = await importSources(
  `export { factsOfFile } from "./src/bpf/embedded.js"; export { EFFECTS } from "./src/bpf/model/facts.js";`,
  root,
);
const READS = new Set(["reads_kernel_memory", "reads_user_memory", "reveals_addresses"]);

const folder = mkdtempSync(join(tmpdir(), "countersign-packages-"));
const programs = [];
const unread = [];
try {
  for (const source of positionals.length > 0 ? positionals : PACKAGES) {
    const from = existsSync(source) ? resolve(source) : unpack(source);
    if (from === null) unread.push({ file: source, why: "apt-get cannot download it" });
    else for (const file of filesIn(from)) read(source, relative(from, file) || basename(file), readFileSync(file));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (options.json) console.log(JSON.stringify({ programs, unread }, null, 1));
else print();

/** The folder that a package is unpacked in; null where there is none of this name. */
function unpack(name) {
  const target = join(folder, name);
  try {
    execFileSync("apt-get", ["download", "-qq", name], { cwd: folder, stdio: "ignore" });
  } catch {
    return null;
  }
  const [archive] = readdirSync(folder).filter((file) => file.startsWith(`${name}_`));
  execFileSync("dpkg-deb", ["-x", archive, target], { cwd: folder });
  rmSync(join(folder, archive));
  return target;
}

function filesIn(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function read(source, file, bytes) {
  if (!holdsBpf(bytes)) return;
  let facts;
  try {
    facts = factsOfFile(bytes);
  } catch (error) {
    unread.push({ file: `${source}: ${file}`, why: `${error.code ?? "error"}: ${error.message}` });
    return;
  }
  for (const { name, type, expected_attach_type, effects, evidence } of facts.programs) {
    const may = EFFECTS.filter((effect) => effects[effect]);
    const reasons = evidence
      .filter(({ effect, ends_read_only: ends }) => ends ?? !READS.has(effect))
      .map(({ effect, insn, because }) => `${effect}${insn === null ? "" : ` at ${insn}`}: ${because}`);
    const kind = expected_attach_type === null ? type : `${type} ${expected_attach_type}`;
    programs.push({ source, file, name, type, kind, read_only: effects.read_only, may, reasons });
  }
}

function holdsBpf(bytes) {
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1))
    if (at + 20 <= bytes.length && bytes.readUInt16LE(at + 18) === EM_BPF) return true;
  return false;
}

function print() {
  const before = options.compare === undefined ? null : JSON.parse(readFileSync(options.compare, "utf8")).programs;
  for (const source of new Set(programs.map((program) => program.source))) {
    const its = programs.filter((program) => program.source === source);
    console.log(`${source}: ${countOf(its)}; tracers ${countOf(its.filter(isTracer))}${was(before, source)}`);
  }
  console.log(`in all: ${countOf(programs)}; tracers ${countOf(programs.filter(isTracer))}${was(before, null)}`);
  if (before !== null) printChanges(before);
  console.log("\nnot read-only:");
  for (const { source, file, name, kind, read_only, reasons } of programs) {
    if (read_only) continue;
    console.log(`  ${source}: ${basename(file)} ${name} (${kind})`);
    for (const reason of reasons.slice(0, MOST_REASONS)) console.log(`    ${reason}`);
  }
  if (unread.length > 0) console.log("\nnot read:");
  for (const { file, why } of unread) console.log(`  ${file}: ${why}`);
}

function was(before, source) {
  if (before === null) return "";
  const its = before.filter((program) => source === null || program.source === source);
  return ` (before: ${countOf(its)}; tracers ${countOf(its.filter(isTracer))})`;
}

function printChanges(before) {
  const key = ({ source, file, name, kind }) => `${source}: ${basename(file)} ${name} (${kind})`;
  const known = new Map(before.map((program) => [key(program), program]));
  const changed = programs.filter((program) => known.get(key(program))?.read_only !== program.read_only);
  const others = programs.filter((program) => known.get(key(program))?.may.join() !== program.may.join());
  console.log(`\nread_only changed: ${changed.length}; other effects changed: ${others.length - changed.length}`);
  for (const program of changed) {
    const was = known.get(key(program));
    console.log(`  ${key(program)}: read_only ${was?.read_only ?? "not there"} -> ${program.read_only}`);
  }
}

function isTracer({ type }) {
  return TRACERS.has(type);
}

function countOf(its) {
  return `${its.filter(({ read_only }) => read_only).length} of ${its.length}`;
}
