// Generates scripts/kernel-facts.gen.json: the prototypes of helpers and kfuncs, the contexts of programs and the
// enumerations of bpf(2) in kernels of several releases. Prototypes of helpers and flags of kfuncs come from Debian's
// source packages, everything else from the BTF of the kernel images. It downloads them (1 GB) to the folder in its
// first argument and keeps apt lists of its own there. With --check it only compares. Needs bpftool, binutils, zstd and
// xz-utils. Not part of scripts/generated.mjs: scripts/kfunc-arguments.mjs and tests read its output.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DebianArchive } from "./debian-archive.mjs";

const target = fileURLToPath(new URL("kernel-facts.gen.json", import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node scripts/kernel-facts.mjs FOLDER");

const SUITES = ["bookworm", "trixie", "trixie-backports"];
/** For each version: its source package, and a pattern for the packages of its image and modules. */
const KERNELS = {
  6.1: { source: "linux-source-6.1", image: /^linux-image-6\.1\.0-\d+-amd64$/ },
  6.12: { source: "linux-source-6.12", image: /^linux-image-6\.12\.\d+\+deb13-amd64$/ },
  6.18: { source: null, image: /^linux-image-6\.18\.\d+\+deb13-amd64$/ },
  7.3: { source: "linux-source-7.3", image: /^linux-(?:binary|modules)-7\.3\.\d+\+deb13-amd64$/ },
};
/** Modules with kfuncs. */
const MODULES = "nf_conntrack nf_nat nf_flow_table xfrm_interface fou tcp_bbr tcp_dctcp tcp_cubic hid bpf_ksock".split(
  " ",
);
/** Folders of the source with helpers or kfuncs, without the modules of selftests. */
const FOLDERS = ["kernel", "net", "fs", "mm", "drivers/hid", "drivers/media/rc"];

/** The contexts of programs: the structs in the table of program types. */
const CONTEXTS =
  `__sk_buff xdp_md bpf_sock bpf_sock_ops bpf_cgroup_dev_ctx sk_msg_md bpf_raw_tracepoint_args bpf_sock_addr sk_reuseport_md
  bpf_sysctl bpf_sockopt bpf_sk_lookup bpf_nf_ctx bpf_perf_event_data`.split(/\s+/);
/** For each enumeration: the prefix of its members. */
const ENUMS = {
  bpf_prog_type: "BPF_PROG_TYPE_",
  bpf_attach_type: "BPF_",
  bpf_map_type: "BPF_MAP_TYPE_",
  bpf_func_id: "BPF_FUNC_",
};

const run = (command, ...args) => execFileSync(command, args, { maxBuffer: 1 << 30 });
const lines = (output) => output.toString().split("\n").filter(Boolean);

const versionOf = (file) => file.split("_").slice(0, 2).join(" ").replaceAll("%3a", ":");

/** The text of each C file of a source package. */
function sourcesOf(file, name) {
  const version = name.replace("linux-source-", "");
  const root = join(folder, name);
  rmSync(root, { recursive: true, force: true });
  const folders = FOLDERS.map((each) => `'linux-source-${version}/${each}'`).join(" ");
  const unpack = `dpkg-deb --fsys-tarfile '${file}' | tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ ${folders}`;
  run("sh", "-c", `cd '${folder}' && ${unpack}`);
  const files = lines(run("grep", "-rlE", "bpf_func_proto|BTF_ID_FLAGS|bpf_helper_changes_pkt_data", root));
  const texts = files.filter((path) => path.endsWith(".c")).map((path) => readFileSync(path, "utf8"));
  rmSync(root, { recursive: true, force: true });
  return texts.map((text) => text.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*$/gm, ""));
}

/** Each `struct bpf_func_proto NAME = { … }` by name, as `RET (ARG, …)`, with its `gpl_only`. */
function protosOf(texts) {
  const protos = new Map();
  for (const text of texts)
    for (const [, name, body] of text.matchAll(/struct bpf_func_proto (\w+)(?: __weak)? *= *\{(.*?)\n\};/gs)) {
      const field = (key) =>
        body
          .match(new RegExp(`\\.${key}\\s*=\\s*([^,]*)`))?.[1]
          .replace(/\s+/g, " ")
          .trim();
      const args = [1, 2, 3, 4, 5].map((index) => field(`arg${index}_type`)).filter((arg) => arg !== undefined);
      protos.set(name, { text: `${field("ret_type")} (${args.join(", ")})`, gpl: field("gpl_only") === "true" });
    }
  return protos;
}

/** The `case` labels of a `get_func_proto`, and the code after them. */
const CASES = /((?:case BPF_FUNC_\w+:\s*)+)(.*?)(?=\bcase\b|\bdefault:|\n\t?\})/gs;

/**
 * For each helper: all its prototypes, which can differ between program types; whether each is GPL-only; whether it
 * invalidates packet pointers.
 */
function helpersOf(texts) {
  const protos = protosOf(texts);
  const helpers = {};
  const changing = new Set();
  for (const text of texts) {
    const body = text.match(/bool bpf_helper_changes_pkt_data\(enum bpf_func_id.*?\n\}/s)?.[0] ?? "";
    for (const [, name] of body.matchAll(/case BPF_FUNC_(\w+):/g)) changing.add(name);
    for (const [, cases, returned] of text.matchAll(CASES))
      for (const [, proto] of returned.matchAll(/&(\w+)\b/g)) note(cases, proto);
    for (const [, cases, returned] of text.matchAll(CASES))
      for (const [, proto] of returned.matchAll(/return (?:bpf_)?get_(\w+_proto)\(/g))
        note(cases, protos.has(`bpf_${proto}`) ? `bpf_${proto}` : proto);
  }
  function note(cases, name) {
    const proto = protos.get(name);
    if (proto === undefined) return;
    for (const [, helper] of cases.matchAll(/BPF_FUNC_(\w+)/g)) {
      helpers[helper] ??= { protos: new Set(), gpl: new Set() };
      helpers[helper].protos.add(proto.text);
      helpers[helper].gpl.add(proto.gpl);
    }
  }
  // A nested switch hides these from CASES.
  for (const name of ["bind", "get_retval", "set_retval"]) note(`BPF_FUNC_${name}`, `bpf_${name}_proto`);
  for (const name of changing) if (helpers[name] !== undefined) helpers[name].changes = true;
  return helpers;
}

/** For each kfunc: its flags, in the order of the kernel's header. */
function flagsOf(texts) {
  const flags = {};
  for (const text of texts)
    for (const [, name, its = ""] of text.matchAll(/BTF_ID_FLAGS\(func,\s*(\w+)\s*(?:,([^)]*))?\)/g))
      if (name !== "name")
        flags[name] = [...new Set([...(flags[name] ?? []), ...its.split("|").map((flag) => flag.trim())])].filter(
          Boolean,
        );
  return flags;
}

/**
 * The decompressed kernel of a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length).
 */
function vmlinuxOf(image, to) {
  const bytes = readFileSync(image);
  const start = ((bytes[0x1f1] || 4) + 1) * 512 + bytes.readUInt32LE(0x248);
  const payload = bytes.subarray(start, start + bytes.readUInt32LE(0x24c));
  // The stream is followed by its size in four bytes.
  const [tool, ...flags] =
    payload.readUInt32BE(0) === 0x28b52ffd ? ["zstd", "-dcq"] : ["xz", "-dcq", "--single-stream"];
  try {
    writeFileSync(
      to,
      execFileSync(tool, flags, { input: payload, maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "ignore"] }),
    );
  } catch (error) {
    if (!(error.stdout?.length > 0)) throw error;
    writeFileSync(to, error.stdout);
  }
}

/**
 * The contents of the BTF of a kernel and its modules: functions by name as C prototypes, contexts and enumerations.
 */
function btfOf(files) {
  const root = join(folder, "image");
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  const wanted = ["*/vmlinuz*", ...MODULES.map((name) => `*/${name}.ko*`)].map((each) => `'${each}'`).join(" ");
  // tar fails for a pattern that matches nothing.
  for (const file of files)
    run(
      "sh",
      "-c",
      `cd '${root}' && dpkg-deb --fsys-tarfile '../${file}' | tar -x --wildcards ${wanted} 2>/dev/null || true`,
    );
  const found = lines(run("find", root, "-type", "f"));
  const kernel = join(root, "kernel");
  vmlinuxOf(
    found.find((path) => /\/vmlinuz/.test(path)),
    kernel,
  );
  run("objcopy", "--dump-section", `.BTF=${kernel}.btf`, kernel, "/dev/null");
  const functions = readBtf(["file", `${kernel}.btf`]);
  const structs = Object.fromEntries(
    CONTEXTS.map((name) => [name, layoutOf(base, name)]).filter(([, its]) => its !== null),
  );
  const enums = Object.fromEntries(Object.entries(ENUMS).map(([name, prefix]) => [name, valuesOf(base, name, prefix)]));
  for (const path of found.filter((each) => /\.ko(\.xz)?$/.test(each))) {
    if (path.endsWith(".xz")) run("unxz", path);
    const own = readBtf(["-B", `${kernel}.btf`, "file", path.replace(/\.xz$/, "")]);
    for (const [name, its] of own) if (!functions.has(name)) functions.set(name, its);
  }
  rmSync(root, { recursive: true, force: true });
  return { functions, structs, enums };
}

/** `NAME OFFSET SIZE` in bytes of each field, including fields of unnamed members; null if there is no such struct. */
function layoutOf(types, name) {
  const byId = new Map(types.map((type) => [type.id, type]));
  const found = types.find((type) => type.kind === "STRUCT" && type.name === name);
  if (found === undefined) return null;
  const fields = [];
  const visit = (type, from) => {
    for (const member of type.members) {
      const its = resolved(byId, member.type_id);
      const at = from + member.bits_offset / 8;
      if (member.name !== "(anon)") fields.push(`${member.name} ${at} ${sizeOf(byId, its)}`);
      else if (its.members !== undefined) visit(its, at);
    }
  };
  visit(found, 0);
  return fields.join(", ");
}

function resolved(byId, id) {
  let type = byId.get(id);
  while (["TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"].includes(type.kind)) type = byId.get(type.type_id);
  return type;
}

function sizeOf(byId, type) {
  if (type.kind === "PTR") return 8;
  if (type.kind === "ARRAY") return type.nr_elems * sizeOf(byId, resolved(byId, type.type_id));
  return type.size;
}

/** `name=value` of each member in lower case, without aliases and the closing maximum. */
function valuesOf(types, name, prefix) {
  const { values } = types.find((type) => type.kind === "ENUM" && type.name === name);
  const named = new Map();
  for (const { name: member, val } of values)
    if (!member.startsWith("__MAX") && !named.has(val))
      named.set(
        val,
        member
          .replace(prefix, "")
          .replace(/_DEPRECATED$/, "")
          .toLowerCase(),
      );
  return [...named].map(([value, member]) => `${member}=${value}`).join(" ");
}

function readBtf(args) {
  const flags = args[0] === "-B" ? ["-B", args[1]] : [];
  const { types } = JSON.parse(
    run("bpftool", "-j", ...flags, "btf", "dump", ...args.slice(flags.length), "format", "raw"),
  );
  // For a module, `types` has only its own types; the types of the kernel that it is based on precede them.
  const byId = new Map([...(base ?? []), ...types].map((type) => [type.id, type]));
  if (flags.length === 0) base = types;
  const tagged = new Set(
    types.filter((type) => type.kind === "DECL_TAG" && type.name === "bpf_kfunc").map((type) => type.type_id),
  );
  const functions = new Map();
  for (const type of types)
    if (type.kind === "FUNC")
      functions.set(type.name, { text: prototype(byId, type.type_id), tagged: tagged.has(type.id) });
  return functions;
}
let base = null;

function prototype(byId, id) {
  const proto = byId.get(id);
  const params = proto.params.map(({ name, type_id }) => declaration(byId, type_id, name === "(anon)" ? "" : name));
  return `${declaration(byId, proto.ret_type_id, "").trim()} (${params.join(", ")})`;
}

function declaration(byId, id, name) {
  const type = id === 0 ? { kind: "VOID" } : byId.get(id);
  const inner = (text) => declaration(byId, type.type_id, text);
  switch (type.kind) {
    case "VOID":
      return `void ${name}`;
    case "PTR":
      return inner(`*${name}`);
    case "CONST": {
      const of = type.type_id === 0 ? { kind: "VOID" } : byId.get(type.type_id);
      return of.kind === "PTR" ? inner(`const ${name}`) : `const ${inner(name)}`;
    }
    case "VOLATILE":
    case "RESTRICT":
      return inner(name);
    case "TYPE_TAG":
      return inner(`__${type.name} ${name}`);
    case "ARRAY":
      return `${declaration(byId, type.type_id, `${name}[]`)}`;
    case "FUNC_PROTO":
      return `${declaration(byId, type.ret_type_id, "")}(${name})()`;
    case "STRUCT":
    case "UNION":
    case "ENUM":
    case "FWD":
      return `${type.kind === "FWD" ? type.fwd_kind : type.kind.toLowerCase()} ${type.name} ${name}`;
    default:
      return `${type.name} ${name}`;
  }
}

const archive = new DebianArchive(folder, SUITES);
archive.update();
const facts = { kernels: {}, enums: {}, structs: {}, helpers: {}, kfuncs: {} };
const put = (table, name, field, text, version) => {
  table[name] ??= {};
  table[name][field] ??= {};
  table[name][field][text] ??= [];
  table[name][field][text].push(version);
};
for (const [version, { source, image }] of Object.entries(KERNELS).sort(([a], [b]) =>
  a.localeCompare(b, "en", { numeric: true }),
)) {
  console.log(version);
  // The newest package, or the newest of each kind.
  const newest = [...new Map(archive.kernelPackages(image).map((name) => [name.split("-")[1], name])).values()];
  const files = newest.map((name) => basename(archive.download(name, folder)));
  const { functions, structs, enums } = btfOf(files);
  for (const [name, layout] of Object.entries(structs)) put(facts.structs, name, "layouts", layout, version);
  for (const [name, values] of Object.entries(enums)) put(facts.enums, name, "values", values, version);
  const from = files.map(versionOf);
  let flags = {};
  if (source !== null) {
    const file = basename(archive.download(source, folder));
    from.unshift(versionOf(file));
    const texts = sourcesOf(file, source);
    for (const [name, { protos, gpl, changes }] of Object.entries(helpersOf(texts))) {
      for (const proto of protos) put(facts.helpers, name, "protos", proto, version);
      put(facts.helpers, name, "gpl_only", [...gpl].sort().join(" or "), version);
      if (changes) put(facts.helpers, name, "changes_packet", "true", version);
    }
    flags = flagsOf(texts);
  }
  for (const [name, { text, tagged }] of functions) {
    if (!tagged && flags[name] === undefined) continue;
    put(facts.kfuncs, name, "protos", text, version);
    if (flags[name] !== undefined) put(facts.kfuncs, name, "flags", flags[name].join(" | "), version);
  }
  for (const name of Object.keys(flags))
    if (!functions.has(name)) put(facts.kfuncs, name, "flags", flags[name].join(" | "), version);
  facts.kernels[version] = from;
}

/** One line for each name. */
const sorted = (table) =>
  Object.keys(table)
    .sort()
    .map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(table[name])}`)
    .join(",\n");
const { kernels, ...tables } = facts;
const parts = Object.entries(tables).map(([name, table]) => `  "${name}": {\n${sorted(table)}\n  }`);
const text = `{\n  "kernels": ${JSON.stringify(kernels)},\n${parts.join(",\n")}\n}\n`;
// Versions of packages change more often than their contents.
const body = (its) => its.replace(/^ {2}"kernels".*$/m, "");
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (body(readFileSync(target, "utf8")) !== body(text)) {
  console.error(`${target} is not what the packages hold`);
  process.exitCode = 1;
}
