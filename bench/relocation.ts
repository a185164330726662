import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Btf } from "../src/bpf/btf/btf.js";
import { BpfObject } from "../src/bpf/object.js";
import { Kernel, relocate } from "../src/bpf/relocate.js";
import { embeddedObjects } from "../test/support/real-objects.js";
import { runningKernel, writeKernelFolder } from "../test/system/core/kernel-folder.js";
import { LibbpfRecorder } from "../test/system/core/libbpf-recorder.js";
import type { Figure, Missing } from "./row.js";

export const title = "Relocation";

const VMLINUX = "/sys/kernel/btf/vmlinux";
const PACKAGE = "libbpf-tools";
const MIB = 2 ** 20;

export function rows(): (Figure | Missing)[] {
  try {
    readFileSync(VMLINUX);
    embeddedObjects(PACKAGE);
  } catch {
    return [{ name: "programs relocated", missing: `needs ${VMLINUX} and Debian's ${PACKAGE}` }];
  }
  const reads = samples("btfCosts") as readonly BtfCosts[];
  const relocations = samples("relocationCosts") as readonly RelocationCosts[];
  const [read, type] = [median(reads, "read"), median(reads, "type")];
  const own = median(relocations, "ms");
  const { programs } = relocations[0]!;
  return [
    {
      name: "the running kernel's BTF read, in a process of its own",
      ...{ figure: read, unit: "ms", limit: 20 },
      note: `and ${type.toFixed(1)} ms for the first look-up of a type`,
    },
    { name: "memory for it, both included", figure: median(reads, "bytes") / MIB, unit: "MiB", limit: 40 },
    {
      name: `${programs} programs of ${PACKAGE} for one kernel, from the start of a process`,
      ...{ figure: median(relocations, "sinceStart"), unit: "ms", limit: 3000 },
    },
    ...byCommand(programs),
    overLibbpf(own),
  ];
}

interface BtfCosts {
  readonly read: number;
  readonly type: number;
  readonly bytes: number;
}

/** Runs in a process of its own. */
export function btfCosts(): BtfCosts {
  const file = readFileSync(VMLINUX);
  const used = () => process.memoryUsage().rss;
  const before = used();
  const start = performance.now();
  const btf = new Btf(file, VMLINUX);
  const middle = performance.now();
  if ([...btf.candidates("task_struct")].length === 0) throw new Error("the kernel has no task_struct");
  return { read: middle - start, type: performance.now() - middle, bytes: file.length + used() - before };
}

interface RelocationCosts {
  readonly programs: number;
  /** From the first byte of BTF to the last program, and from the start of the process. */
  readonly ms: number;
  readonly sinceStart: number;
}

/** Runs in a process of its own. */
export function relocationCosts(): RelocationCosts {
  const [btf, objects] = [readFileSync(VMLINUX), distinct()];
  const start = performance.now();
  const kernel = new Kernel(new Btf(btf, VMLINUX));
  let programs = 0;
  for (const { bytes } of objects) {
    const object = new BpfObject(bytes);
    for (const of of object.functions) relocate(object, of, kernel, "libbpf-1.5");
    programs += object.functions.length;
  }
  const end = performance.now();
  return { programs, ms: end - start, sinceStart: end };
}

function distinct() {
  return [
    ...new Map(embeddedObjects(PACKAGE).map((each) => [Buffer.from(each.bytes).toString("latin1"), each])).values(),
  ];
}

const SAMPLES = 9;

function samples(name: "btfCosts" | "relocationCosts"): readonly unknown[] {
  const script = `import { ${name} } from ${JSON.stringify(import.meta.url)}; console.log(JSON.stringify(${name}()));`;
  return Array.from({ length: SAMPLES }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
}

function median<K extends string>(all: readonly Readonly<Record<K, number>>[], key: K): number {
  return all.map((each) => each[key]).sort((a, b) => a - b)[all.length >> 1]!;
}

/** The command `resolve` over the tools themselves, without the cache and with it, by turns. */
function byCommand(programs: number): Figure[] {
  const home = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  const command = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
  const [env, tools] = [{ ...process.env, XDG_CACHE_HOME: home }, distinctTools()];
  const run = (...options: string[]) => {
    const start = performance.now();
    const words = [command, "resolve", "--btf", VMLINUX, ...options, ...tools];
    const { stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: "utf8" });
    const ms = performance.now() - start;
    if (!stdout.includes(`of ${programs} programs resolved`)) throw new Error(`other programs are resolved: ${stderr}`);
    return ms;
  };
  try {
    run();
    const times = Array.from({ length: SAMPLES }, () => ({ without: run("--no-cache"), with: run() }));
    const name = `the same by the command \`resolve\`, which reads ${tools.length} tools`;
    return [
      { name, figure: median(times, "without"), unit: "ms", limit: 3000 },
      { name: `${name}, with the cache on disk`, figure: median(times, "with"), unit: "ms", limit: 100 },
    ];
  } finally {
    rmSync(home, { recursive: true });
  }
}

function distinctTools(): readonly string[] {
  const files = execFileSync("dpkg", ["-L", PACKAGE], { encoding: "utf8" }).split("\n");
  const tools = files.filter((path) => /\/s?bin\//.test(path) && statSync(path).isFile());
  return [...new Map(tools.map((path) => [readFileSync(path, "latin1"), path])).values()];
}

/** libbpf's own time is that of bpf_object__load up to the first program, without system calls. */
function overLibbpf(own: number): Figure | Missing {
  const name = `the same over libbpf's own time, its BTF read once`;
  const kernel = runningKernel();
  const recorder = LibbpfRecorder.open(null, fileURLToPath(new URL("../../../test/system/core", import.meta.url)));
  if (typeof kernel === "string") return { name, missing: kernel };
  if (typeof recorder === "string") return { name, missing: recorder };
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  try {
    writeKernelFolder(folder, kernel);
    const objects = distinct();
    const times = Array.from({ length: 3 }, () => {
      const { times } = recorder.record(folder, objects);
      const once = times.map(({ vmlinux }) => vmlinux).sort((a, b) => a - b)[times.length >> 1]!;
      return { ms: times.reduce((sum, { own, vmlinux }) => sum + own - vmlinux, once) / 1e6 };
    });
    const libbpf = median(times, "ms");
    return {
      name,
      figure: own / libbpf,
      unit: "times",
      note: `${own.toFixed(0)} ms, ${libbpf.toFixed(0)} ms`,
      limit: 1,
    };
  } finally {
    recorder.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
