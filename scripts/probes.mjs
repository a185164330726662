// Generates src/bpf/tables/loader-probes.gen.ts: the programs that loaders load to find out what the kernel supports.
// It runs loaders under strace. bpftool loads an object (scripts/probes.c); every other program that it loads is a
// probe of libbpf. bpftrace --info reports the kernel's features; every program that it loads is a probe. Existing rows
// are kept, because the probes also depend on the kernel. With --check it only compares. Exits with 3 and a reason if
// the tools, or the permission to load programs, are missing.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeGenerated } from "./write-generated.mjs";

const SOURCE = fileURLToPath(new URL("probes.c", import.meta.url));
const RUNNABLE = fileURLToPath(new URL("bpftrace.mjs", import.meta.url));
const TABLE = fileURLToPath(new URL("../src/bpf/tables/loader-probes.gen.ts", import.meta.url));
const skip = (reason) => {
  console.log(reason);
  process.exit(3);
};
for (const tool of ["strace", "bpftool", "clang-19"])
  if (spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0) skip(`${tool} is not installed`);

const folder = mkdtempSync(join(tmpdir(), "probes-"));
try {
  const version = /libbpf v([\d.]+)/.exec(execFileSync("bpftool", ["version"], { encoding: "utf8" }))?.[1];
  const ofLibbpf = merge(existing(), ofBpftool(folder), `libbpf ${version ?? "unknown"}`);
  const known = new Set(ofLibbpf.filter(isOfLibbpf).map(keyOf));
  const { programs, loader } = ofBpftrace(folder);
  const more = programs.filter((program) => !known.has(keyOf(program)) && isPlain(program));
  process.exitCode = writeGenerated({
    "src/bpf/tables/loader-probes.gen.ts": render(merge(ofLibbpf, more, loader)),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The programs that bpftool loads and that are not those of the object. */
function ofBpftool(folder) {
  const object = join(folder, "probes.o");
  execFileSync("clang-19", [
    "-O2",
    "-g",
    "-target",
    "bpf",
    "-D__TARGET_ARCH_x86",
    `-I/usr/include/${triplet()}`,
    "-c",
    SOURCE,
    "-o",
    object,
  ]);
  execFileSync("mount", ["-t", "bpf", "none", mkdir(folder)]);
  const pins = join(folder, "bpf");
  try {
    const { programs, stderr } = loadsOf(["bpftool", "prog", "loadall", object, join(pins, "probes"), "autoattach"]);
    if (!programs.some(({ name }) => name.startsWith("own_")))
      skip(`programs cannot be loaded here: ${stderr.split("\n").at(-2)}`);
    return programs.filter(({ name }) => !name.startsWith("own_"));
  } finally {
    spawnSync("umount", [pins]);
  }
}

/** The programs that bpftrace loads to report the kernel's features, and its name and version. */
function ofBpftrace(folder) {
  const run = spawnSync(process.execPath, [RUNNABLE, folder], { encoding: "utf8" });
  const bpftrace = run.stdout.trim();
  if (run.status !== 0) skip(bpftrace);
  const version = /v(\d+\.\d+)/.exec(execFileSync(bpftrace, ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";
  return { ...loadsOf([bpftrace, "--info"]), loader: `bpftrace ${version}` };
}

/** The programs that a command loads or tries to load. */
function loadsOf(command) {
  const trace = join(folder, "trace");
  const strace = ["-f", "-X", "raw", "-v", "-s", "64", "-e", "trace=bpf", "-o", trace];
  const { stderr } = spawnSync("strace", [...strace, ...command], { encoding: "utf8" });
  const lines = readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => line.includes("bpf(0x5, {"));
  return { programs: lines.map(parse), stderr };
}

/**
 * A program attached to a kernel function is not a probe here: the target differs between kernels, so policies decide.
 */
function isPlain({ attachBtfId }) {
  return attachBtfId === 0;
}

function isOfLibbpf({ loaders }) {
  return loaders.some((loader) => loader.startsWith("libbpf "));
}

function mkdir(folder) {
  const path = join(folder, "bpf");
  execFileSync("mkdir", [path]);
  return path;
}

function triplet() {
  return execFileSync("gcc", ["-print-multiarch"], { encoding: "utf8" }).trim();
}

/** One line of strace -X raw -v, with every field of bpf_attr; opcodes are written as `0x7|0|0xb0`. */
function parse(line) {
  const field = (name) => {
    const value = new RegExp(`[{ ]${name}=("[^"]*"|[^,}]+)`).exec(line)?.[1] ?? "0";
    return value.startsWith('"') ? value.slice(1, -1) : Number(value);
  };
  const insns = [...line.matchAll(/\{code=([^,]+), dst_reg=([^,]+), src_reg=([^,]+), off=([^,]+), imm=([^}]+)\}/g)];
  const bytes = Buffer.alloc(8 * insns.length);
  for (const [index, [, code, dst, src, off, imm]] of insns.entries()) {
    bytes.writeUInt8(
      code.split("|").reduce((sum, part) => sum | Number(part), 0),
      8 * index,
    );
    bytes.writeUInt8(Number(dst) | (Number(src) << 4), 8 * index + 1);
    bytes.writeInt16LE((Number(off) << 16) >> 16, 8 * index + 2);
    bytes.writeInt32LE(Number(imm) | 0, 8 * index + 4);
  }
  if (insns.length !== field("insn_cnt"))
    throw new Error(`strace shows ${insns.length} instructions of ${field("insn_cnt")}`);
  return {
    name: field("prog_name"),
    type: field("prog_type"),
    expectedAttachType: field("expected_attach_type"),
    license: field("license"),
    funcInfoCount: field("func_info_cnt"),
    attachBtfId: field("attach_btf_id"),
    digest: createHash("sha256").update(zeroMaps(bytes)).digest("hex"),
    text: bytes.toString("hex"),
  };
}

/** Map fds and offsets are not part of a program's digest (bpf_prog_calc_tag of kernel/bpf/core.c). */
function zeroMaps(insns) {
  for (let at = 0; at + 16 <= insns.length; at += 8) {
    if (insns[at] !== 0x18) continue;
    const source = insns[at + 1] >> 4;
    if (source === 1 || source === 2) {
      insns.fill(0, at + 4, at + 8);
      insns.fill(0, at + 12, at + 16);
    }
    at += 8;
  }
  return insns;
}

function merge(known, programs, loader) {
  const rows = new Map(known.map((row) => [keyOf(row), row]));
  for (const { text, attachBtfId: _, ...program } of programs) {
    const known = rows.get(keyOf(program)) ?? { ...program, insns: text, loaders: [] };
    known.loaders = [...new Set([...known.loaders, loader])].sort();
    rows.set(keyOf(program), known);
  }
  return [...rows.values()].sort((a, b) => a.type - b.type || (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ name, type, expectedAttachType, license, funcInfoCount, digest }) {
  return JSON.stringify([type, expectedAttachType, name, license, funcInfoCount, digest]);
}

function existing() {
  if (!existsSync(TABLE)) return [];
  const text = readFileSync(TABLE, "utf8");
  return JSON.parse(text.slice(text.indexOf("= [\n") + 2, text.lastIndexOf("]") + 1).replace(/,(\s*\])/g, "$1"));
}

function render(rows) {
  const lines = rows.map((row) => `  ${JSON.stringify(row)},`);
  return `// Generated by scripts/probes.mjs from what bpftool and bpftrace load under strace.

/** A program that a loader loads to find out what the kernel supports. Numbers are those of linux/bpf.h. */
export interface Probe {
  readonly name: string;
  readonly type: number;
  readonly expectedAttachType: number;
  readonly license: string;
  readonly funcInfoCount: number;
  /** SHA-256 of the instructions with map references zeroed. */
  readonly digest: string;
  /** The same instructions, in hex. */
  readonly insns: string;
  /** Loaders that were seen to load it, with versions. Any loader that uses libbpf also loads libbpf's probes. */
  readonly loaders: readonly string[];
}

export const PROBES: readonly Probe[] = [
${lines.join("\n")}
];
`;
}
