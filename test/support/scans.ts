import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { Btf } from "../../src/bpf/btf/btf.js";
import { Kernel } from "../../src/bpf/relocate.js";
import { knownPrograms } from "../../src/loaded/identify/known-object.js";
import { filePlace } from "../../src/loaded/identify/known-program.js";
import type { KnownSource } from "../../src/loaded/identify/known-source.js";
import type { ObjectName } from "../../src/loaded/model/references.js";
import type { Scan } from "../../src/loaded/model/scan.js";
import { ArchiveWriter } from "../../src/loaded/reads/archive-writer.js";
import type { Raw } from "../../src/loaded/reads/reads.js";
import { Saving } from "../../src/loaded/reads/saving.js";
import { archivedScan, type ExaminedScan, type NamedScan, namedScan, type Wanted } from "../../src/loaded/scan.js";
import { LINK_SIZE } from "../../src/loaded/views/link-report.js";
import { MAP_FIELDS, MAP_SIZE } from "../../src/loaded/views/map-report.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE } from "../../src/loaded/views/program-report.js";
import { example } from "./examples.js";
import { switchKernel } from "./switch-kernel.js";

/** What a kernel answered to a scan, by the names of results. */
export type Answers = ReadonlyMap<string, Raw>;

const numbers = (...values: readonly number[]) => Buffer.from(Uint32Array.from(values).buffer);
const names = (...entries: readonly string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(""));

/** A structure with 32-bit words and texts at these offsets. */
function structure(
  size: number,
  words: Readonly<Record<number, number>>,
  texts: Readonly<Record<number, string>> = {},
) {
  const bytes = Buffer.alloc(size);
  for (const [offset, word] of Object.entries(words)) bytes.writeUInt32LE(word, Number(offset));
  for (const [offset, text] of Object.entries(texts)) bytes.write(text, Number(offset));
  return bytes;
}

/** The answers of a machine with a program in a cgroup and a pin, its map, and a link to a raw tracepoint. */
export function savedAnswers(): Map<string, Raw> {
  const [program, map] = [PROGRAM_FIELDS, MAP_FIELDS];
  const mountinfo =
    "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n31 1 0:31 / /sys/fs/bpf rw - bpf bpf rw,mode=700\n";
  const words = { [program.id]: 37, [program.type]: 8, [program.nr_map_ids]: 1, [program.created_by_uid]: 1000 };
  return new Map<string, Raw>([
    ["@bpf/program/ids", numbers(37, 0)],
    ["@bpf/program/37/info", structure(PROGRAM_SIZE, words, { [program.name]: "limit", [program.tag]: "12345678" })],
    ["@bpf/program/37/maps", numbers(5)],
    ["@bpf/map/ids", numbers(5, 0)],
    ["@bpf/map/5/info", structure(MAP_SIZE, { [map.id]: 5, [map.type]: 3, [map.key_size]: 4, [map.value_size]: 4 })],
    ["@bpf/map/5/fdinfo", Buffer.from("frozen:\t0\n")],
    ["@bpf/map/5/programs", numbers()],
    ["@bpf/link/ids", numbers(9, 0)],
    ["@bpf/link/9/info", structure(LINK_SIZE, { 0: 1, 4: 9, 8: 37 })],
    ["@bpf/link/9/named", structure(LINK_SIZE + 12, { 0: 1, 4: 9, 8: 37 }, { [LINK_SIZE]: "sched_switch" })],
    ["@process/pid", numbers(7)],
    ["@boot/time", Buffer.from(BigUint64Array.of(1_767_225_600_000_000_000n).buffer)],
    ["proc/sys/kernel/random/boot_id", Buffer.from("6f1d4f5e-3c1b-4a57-9d0e-2b1a70a3c1de\n")],
    ["proc/@names", names("d7", "d12", "fmeminfo")],
    ["proc/12/ns/mnt", Buffer.from("mnt:[4026531841]")],
    ["proc/12/ns/net", Buffer.from("net:[4026531833]")],
    [
      "proc/12/fd/@links",
      names("3", "anon_inode:bpf-prog", "4", "anon_inode:[perf_event]", "5", "anon_inode:bpf_link"),
    ],
    ["proc/12/fd/4/@program", structure(23, { 0: 37, 4: 2 }, { 16: "vfs_fsy" })],
    ["proc/12/fd/5/@object", Buffer.from("link_id:\t9\n")],
    ["proc/12/fdinfo/3", Buffer.from("prog_id:\t37\n")],
    ["proc/12/cgroup", Buffer.from("0::/system.slice/limit.service\n")],
    ["proc/12/exe", Buffer.from("/usr/bin/limit")],
    ["proc/self/mountinfo", Buffer.from(mountinfo)],
    ...["cgroup:[4026531835]", "mnt:[4026531841]", "net:[4026531833]", "pid:[4026531836]"].map(
      (target): [string, Raw] => [`proc/self/ns/${target.split(":")[0]}`, Buffer.from(target)],
    ),
    ["proc/self/root/sys/fs/bpf/@device", Buffer.from(BigUint64Array.of(31n).buffer)],
    ["proc/self/root/sys/fs/bpf/@names", names("dtc")],
    ["proc/self/root/sys/fs/bpf/tc/@names", names("fa%40b@", "flost")],
    ["proc/self/root/sys/fs/bpf/tc/a%2540b%40/@object", Buffer.from("prog_id:\t37\n")],
    ["proc/self/root/sys/fs/bpf/tc/lost/@object", -2],
    ["sys/fs/cgroup/@names", names("da")],
    ["sys/fs/cgroup/@inode", Buffer.from(BigUint64Array.of(1n).buffer)],
    ["sys/fs/cgroup/@programs", -2],
    ["sys/fs/cgroup/a/@names", names("fcgroup.procs")],
    ["sys/fs/cgroup/a/@inode", Buffer.from(BigUint64Array.of(4321n).buffer)],
    ["sys/fs/cgroup/a/@programs", numbers(0, 37)],
    ["@net/4026531833/programs", numbers()],
    ["@net/4026531833/entered", numbers()],
    ["@net/4026531833/links", structure(16, { 0: 16, 4: 3 })],
    ["@net/4026531833/qdiscs", structure(16, { 0: 16, 4: 3 })],
  ]);
}

/** Bytes that are written to it. */
class Collected extends Writable {
  readonly #parts: Uint8Array[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  override _write(part: Uint8Array, _: string, done: () => void): void {
    this.#parts.push(part);
    done();
  }
}

/** The archive of these answers. */
export async function archiveOf(answers: Answers): Promise<Buffer> {
  const out = new Collected();
  const archive = new ArchiveWriter(out);
  const saving = new Saving(archive);
  for (const [name, raw] of answers) saving.bytes(name, () => raw);
  await archive.close();
  return out.bytes;
}

/** A tar of these files, in their order. */
export async function tarOf(
  files: readonly (readonly [name: string, bytes: Uint8Array, header?: Partial<Parameters<Pack["entry"]>[0]>])[],
): Promise<Buffer> {
  const tar = pack();
  const out = new Collected();
  tar.pipe(out as never);
  for (const [name, bytes, header] of files) {
    if (header?.type === "symlink") tar.entry({ ...header, name });
    else tar.entry({ ...header, name, size: bytes.byteLength }, Buffer.from(bytes));
  }
  tar.finalize();
  await finished(out);
  return out.bytes;
}

/** Nothing was found out beside what the kernel lists. */
export const LISTED = { examined: null, comparison: null } as const;

/** The scan of an archive with these bytes. */
export async function scanIn(bytes: Uint8Array): Promise<Scan> {
  return (await readAs(bytes)).scan;
}

/** The same, with what is found out about its programs. */
export function examinedIn(bytes: Uint8Array, sources: readonly KnownSource[] = []): Promise<ExaminedScan> {
  return readAs(bytes, { sources, compared: null });
}

/** The same, with what its views contradict each other about. */
export async function comparisonIn(bytes: Uint8Array): Promise<NonNullable<ExaminedScan["comparison"]>> {
  return (await readAs(bytes, { sources: null, compared: "usual" })).comparison!;
}

/** These objects in full. */
export function namedIn(bytes: Uint8Array, named: readonly ObjectName[]): Promise<NamedScan> {
  return inFile(bytes, (file) => namedScan(file, named, { sources: [], compared: null }));
}

function readAs(bytes: Uint8Array, wanted?: Wanted): Promise<ExaminedScan> {
  return inFile(bytes, (file) => archivedScan(file, wanted));
}

/** Has a file with these bytes read as an archive. */
async function inFile<T>(bytes: Uint8Array, read: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "archive-"));
  try {
    const file = join(folder, "scan.tar");
    writeFileSync(file, bytes);
    return await read(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const EXIT = Buffer.from("b700000000000000" + "9500000000000000", "hex");

/**
 * The same with what is asked of programs: the program of the process is `limit` of an object that its executable
 * embeds, for a kernel whose types and symbols are given.
 */
export function examinedAnswers(): Map<string, Raw> {
  const object = example("rate-limit");
  const types = switchKernel({ at: 32 }).bytes();
  const [limit] = knownPrograms(object, filePlace("", null), new Kernel(new Btf(types)));
  const digest = createHash("sha256").update(object).digest("hex");
  const file = "@files/12/%2Fusr%2Fbin%2Flimit";
  const maps = "00400000-00452000 r-xp 00001000 fe:00 15969                      /usr/bin/limit\n";
  const program = PROGRAM_FIELDS;
  const info = structure(
    PROGRAM_SIZE,
    { [program.id]: 37, [program.type]: 3, [program.nr_map_ids]: 1 },
    { [program.name]: "limit" },
  );
  info.write(limit!.tag!, program.tag, "hex");
  const parts = ["jited", "symbols", "sizes", "functions", "lines", "jited-lines", "tags"];
  return new Map<string, Raw>([
    ...savedAnswers(),
    ["@bpf/program/37/info", info],
    ["@bpf/program/37/translated", EXIT],
    ...parts.map((part): [string, Raw] => [`@bpf/program/37/${part}`, Buffer.alloc(0)]),
    ["@bpf/btf/ids", numbers(1)],
    ["@bpf/btf/1/name", Buffer.from("vmlinux")],
    ["@bpf/btf/1/bytes", types],
    ["@kernel/machine", Buffer.from("x64")],
    ["@kernel/digests", Buffer.from(`37 ${limit!.digest}\n`)],
    ["proc/kallsyms", Buffer.from("ffffffff81000000 T __bpf_call_base\n")],
    ["proc/sys/net/core/bpf_jit_harden", Buffer.from("0\n")],
    ["proc/12/maps", Buffer.from(maps)],
    ["proc/12/mountinfo", Buffer.from("21 1 254:0 / / rw - ext4 /dev/vda rw\n")],
    [`${file}/@identity`, Buffer.from("65024 15969 1")],
    [`${file}/@objects`, Buffer.from(JSON.stringify([{ offset: 64, sha256: digest }]))],
    [`@objects/${digest}`, object],
  ]);
}
