// Looks up each function of the kernel that the tables of helpers and kfuncs name as the place of a fact (which memory
// is written, and that nothing is changed), in Debian's source packages. scripts/source-places.gen.json has a digest of
// each function as it was when the fact was read from it, for each release. With --check it only compares, and names
// the functions that have changed since: read them again, correct the rows, and run it without --check. Packages are
// downloaded to the folder in its first argument, which scripts/kernel-facts.mjs can share.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { DebianArchive } from "./debian-archive.mjs";
import { importSources } from "./sources.mjs";

const target = fileURLToPath(new URL("source-places.gen.json", import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node scripts/source-places.mjs FOLDER [--check]");

const SUITES = ["bookworm", "trixie", "trixie-backports"];
const RELEASES = ["6.1", "6.12", "7.3"];
/** Digits of a digest that are kept. */
const DIGITS = 12;

const { HELPER_MEMORY, KFUNC_MEMORY, UNCHANGED } = await importSources(`
  export { HELPER_MEMORY, KFUNC_MEMORY } from "./src/bpf/tables/argument-memory.js";
  export { UNCHANGED } from "./src/bpf/tables/unchanged.js";
`);

/** `file: function` without what follows. */
const places = [
  ...new Set(
    [
      ...[...HELPER_MEMORY.values(), ...KFUNC_MEMORY.values()].flat().map(({ source }) => source),
      ...UNCHANGED.values(),
    ].map((place) => place.match(/^[\w/-]+\.c: \w+/)[0]),
  ),
].sort();

/** The files in which functions of a file are in other releases. */
const ELSEWHERE = {
  "kernel/sched/ext/ext.c": ["kernel/sched/ext.c"],
  "kernel/sched/ext/idle.c": ["kernel/sched/ext_idle.c", "kernel/sched/ext.c"],
  "kernel/bpf/helpers.c": ["kernel/trace/bpf_trace.c"],
  "kernel/crash_core.c": ["kernel/kexec_core.c"],
  "kernel/trace/bpf_trace.c": ["include/linux/bpf.h"],
};

/** The C files of a release that are named, by path below the root. */
function sourcesOf(archive, release) {
  const file = archive.download(`linux-source-${release}`, folder);
  const wanted = places.map((place) => place.split(":")[0]);
  const paths = [...new Set([...wanted, ...wanted.flatMap((path) => ELSEWHERE[path] ?? [])])];
  const listed = paths.map((path) => `'linux-source-${release}/${path}'`).join(" ");
  const mark = "@@@ ";
  // A file that an older release lacks makes tar fail.
  const each = `printf "\\n${mark}%s\\n" "$TAR_FILENAME"; cat`;
  const source = `dpkg-deb --fsys-tarfile '${file}' | tar -xO --wildcards './usr/src/*.tar.xz'`;
  const unpack = `${source} | tar -xJ --to-command='${each}' ${listed} 2>/dev/null || true`;
  const text = execFileSync("sh", ["-c", unpack], { encoding: "latin1", maxBuffer: 1 << 28 });
  const files = new Map();
  for (const part of text.split(`\n${mark}linux-source-${release}/`).slice(1)) {
    const end = part.indexOf("\n");
    files.set(
      part.slice(0, end),
      part
        .slice(end + 1)
        .replace(/\/\*.*?\*\//gs, "")
        .replace(/\/\/.*$/gm, ""),
    );
  }
  return { version: basename(file).split("_")[1], files };
}

/** All definitions of a function of this name: a helper's, a kfunc's or one of C. */
function definitionsOf(text, name) {
  const header = new RegExp(
    `(?:^|\\n)(?:(?:NOTRACE_|notrace )?BPF_CALL_\\d\\(${name}\\b|[^\\s#][^\\n;={]*\\b${name}\\(|${name}\\()`,
    "g",
  );
  const found = [];
  for (const { index } of text.matchAll(header)) {
    const open = text.indexOf("{", index);
    const end = text.indexOf("\n}", open);
    const declared = text.indexOf(";", index);
    if (open < 0 || end < 0 || (declared >= 0 && declared < open)) continue;
    found.push(text.slice(index, end).replace(/\s+/g, " ").trim());
  }
  return found;
}

const digestOf = (texts) => createHash("sha256").update(texts.join("\n")).digest("hex").slice(0, DIGITS);

const archive = new DebianArchive(folder, SUITES);
archive.update();
const functions = Object.fromEntries(places.map((place) => [place, {}]));
const kernels = {};
for (const release of RELEASES) {
  const { version, files } = sourcesOf(archive, release);
  kernels[release] = version;
  for (const place of places) {
    const [path, name] = place.split(": ");
    for (const each of [path, ...(ELSEWHERE[path] ?? [])]) {
      const found = definitionsOf(files.get(each) ?? "", name);
      if (found.length === 0) continue;
      functions[place][release] = digestOf(found);
      break;
    }
  }
}
const missing = places.filter((place) => Object.keys(functions[place]).length === 0);
if (missing.length > 0) throw new Error(`in no release: ${missing.join(", ")}`);

if (process.argv.includes("--check")) {
  const before = JSON.parse(readFileSync(target, "utf8")).functions;
  const names = [...new Set([...Object.keys(before), ...places])];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(functions[name]));
  if (changed.length > 0) {
    console.error(`not as they were read: ${changed.join("; ")}`);
    process.exitCode = 1;
  }
} else {
  const lines = places.map((place) => `    ${JSON.stringify(place)}: ${JSON.stringify(functions[place])}`);
  writeFileSync(
    target,
    `{\n  "kernels": ${JSON.stringify(kernels)},\n  "functions": {\n${lines.join(",\n")}\n  }\n}\n`,
  );
}
