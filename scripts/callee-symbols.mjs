// Generates src/loaded/effects/callee-symbols.gen.ts: the kernel functions that the verifier puts into calls of
// helpers, from Debian's source packages. A helper has a function for each of its struct bpf_func_proto, and those of
// maps also the functions of each type of map (struct bpf_map_ops). Packages are downloaded to the folder in the first
// argument, which scripts/kernel-facts.mjs can share. With --check it only compares. Not part of
// scripts/generated.mjs.
import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { DebianArchive } from "./debian-archive.mjs";
import { writeGenerated } from "./write-generated.mjs";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node scripts/callee-symbols.mjs FOLDER [--check]");

const SUITES = ["bookworm", "trixie", "trixie-backports"];
const RELEASES = ["6.1", "6.12", "7.3"];
/** Folders of the source with helpers or types of maps. */
const FOLDERS = ["kernel", "net", "fs", "mm", "security", "drivers/hid", "drivers/media/rc"];

/** The helper that a function of bpf_map_ops replaces (bpf_do_misc_fixups, kernel/bpf/fixups.c). */
const OPERATIONS = {
  map_lookup_elem: "map_lookup_elem",
  map_update_elem: "map_update_elem",
  map_delete_elem: "map_delete_elem",
  map_push_elem: "map_push_elem",
  map_pop_elem: "map_pop_elem",
  map_peek_elem: "map_peek_elem",
  map_redirect: "redirect_map",
  map_for_each_callback: "for_each_map_elem",
  map_lookup_percpu_elem: "map_lookup_percpu_elem",
};

/** Prototypes that a nested switch hides from CASES. */
const NESTED = {
  bpf_bind_proto: "bind",
  bpf_get_retval_proto: "get_retval",
  bpf_set_retval_proto: "set_retval",
  bpf_sock_addr_setsockopt_proto: "setsockopt",
  bpf_sock_addr_getsockopt_proto: "getsockopt",
  bpf_sock_create_setsockopt_proto: "setsockopt",
  bpf_sock_create_getsockopt_proto: "getsockopt",
  bpf_probe_write_user_proto: "probe_write_user",
};

/** The `case` labels of a `get_func_proto`, and the code after them. */
const CASES = /((?:case BPF_FUNC_\w+:\s*)+)(.*?)(?=\bcase\b|\bdefault:|\n\t?\})/gs;
/** bpf_tail_call has no function: it is an instruction of its own. */
const NO_FUNCTION = new Set(["NULL", "BPF_PTR_POISON"]);

/** The text of all C files of a release. */
function sourceOf(file, release) {
  const folders = FOLDERS.map((each) => `'linux-source-${release}/${each}'`).join(" ");
  const source = `dpkg-deb --fsys-tarfile '${file}' | tar -xO --wildcards './usr/src/*.tar.xz'`;
  const unpack = `${source} | tar -xJO --wildcards --no-anchored --exclude='*.[!c]' ${folders}`;
  const text = execFileSync("sh", ["-c", unpack], { encoding: "latin1", maxBuffer: 1 << 29 });
  return text.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*$/gm, "");
}

/** By helper, the names of its functions. */
const functions = new Map();

function note(helper, symbol) {
  if (NO_FUNCTION.has(symbol)) return;
  if (!functions.has(helper)) functions.set(helper, new Set());
  functions.get(helper).add(symbol);
}

function read(text) {
  const protos = new Map();
  for (const [, name, body] of text.matchAll(/struct bpf_func_proto (\w+)(?: __weak)? *= *\{(.*?)\n\};/gs)) {
    const symbol = body.match(/\.func\s*=\s*(\w+)/)?.[1];
    if (symbol !== undefined) protos.set(name, symbol);
  }
  const used = new Set();
  const noteAll = (cases, proto) => {
    if (!protos.has(proto)) return;
    used.add(proto);
    for (const [, helper] of cases.matchAll(/BPF_FUNC_(\w+)/g)) note(helper, protos.get(proto));
  };
  for (const [, cases, returned] of text.matchAll(CASES)) {
    for (const [, proto] of returned.matchAll(/&(\w+)\b/g)) noteAll(cases, proto);
    for (const [, proto] of returned.matchAll(/return (?:bpf_)?get_(\w+_proto)\(/g))
      noteAll(cases, protos.has(`bpf_${proto}`) ? `bpf_${proto}` : proto);
  }
  for (const [proto, helper] of Object.entries(NESTED)) noteAll(`BPF_FUNC_${helper}`, proto);
  const unused = [...protos.keys()].filter((proto) => !used.has(proto));
  if (unused.length > 0) throw new Error(`prototypes of which helpers: ${unused.join(", ")}`);
  for (const [, field, symbol] of text.matchAll(/\.(map_\w+)\s*=\s*(\w+)/g))
    if (field in OPERATIONS) note(OPERATIONS[field], symbol);
}

const archive = new DebianArchive(folder, SUITES);
archive.updateDaily();
const versions = RELEASES.map((release) => {
  const file = archive.download(`linux-source-${release}`, folder);
  read(sourceOf(file, release));
  return basename(file).split("_")[1];
});

const wrapped = (names) => {
  const lines = [""];
  for (const name of names) {
    if (lines.at(-1).length + name.length > 110) lines.push("");
    lines[lines.length - 1] += `${lines.at(-1) === "" ? "" : " "}${name}`;
  }
  return lines.join("\n    ");
};
const rows = [...functions]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([helper, symbols]) => {
    const line = `  ["${helper}", "${[...symbols].sort().join(" ")}"],`;
    return line.length <= 120 ? line : `  [\n    "${helper}",\n    \`${wrapped([...symbols].sort())}\`,\n  ],`;
  });

process.exitCode = writeGenerated({
  "src/loaded/effects/callee-symbols.gen.ts": `// Generated by scripts/callee-symbols.mjs from the source of Linux ${versions.join(", ")}.

/**
 * For each helper, the functions of the kernel that a call of it may become: those of its prototypes, which differ
 * between program types, and for helpers of maps those of the types of maps.
 */
export const CALLEE_SYMBOLS: readonly (readonly [helper: string, symbols: string])[] = [
${rows.join("\n")}
];
`,
});
