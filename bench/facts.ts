import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Btf } from "../src/bpf/btf/btf.js";
import { BpfObject, factsOfObject } from "../src/bpf/object.js";
import { factsOfLoad, type Load } from "../src/bpf/prog-load.js";
import { GREEDIEST, programOf } from "../test/support/greedy-programs.js";
import { GROWING_PROGRAMS, loadOf } from "../test/support/growing-programs.js";
import { liveLoad } from "../test/support/live-load.js";
import { embeddedObjects, type InstalledObject, objectFiles } from "../test/support/real-objects.js";
import type { Figure, Missing, Row } from "./row.js";

export const title = "Facts";

const root = new URL("../../../", import.meta.url);

export function rows(): (Row | Missing | Figure)[] {
  const objects = installed();
  if (objects === null)
    return [{ name: "objects to facts", missing: "xdp-tools, libxdp1 and libbpf-tools are not installed" }];
  return [...warm(objects), ...cold(objects), ...growth(), ...families(), ...names()];
}

/** Files, embedded objects and all, of the three packages. */
function installed(): InstalledObject[] | null {
  try {
    return [
      ...objectFiles("xdp-tools", "libxdp1"),
      ...embeddedObjects("libbpf-tools"),
      ...embeddedObjects("xdp-tools"),
    ];
  } catch {
    return null;
  }
}

function warm(objects: readonly InstalledObject[]): Figure[] {
  const all = () =>
    objects.reduce((sum, { bytes }) => sum + factsOfObject(bytes).programs.reduce((n, p) => n + p.insn_cnt, 0), 0);
  const insns = all();
  const load = hundredInsns(objects);
  const [everything, one] = medians([all, () => factsOfLoad(load)], [40, 4000]);
  const spent = leastProcessorTime(all, 40);
  return [
    {
      name: `${objects.length} objects to facts, warm`,
      figure: (everything! / insns) * 1000,
      unit: "ms for 1,000 instructions",
      note: `${insns} instructions, ELF, BTF and effects included`,
      limit: 1,
    },
    {
      name: `${objects.length} objects to facts, warm, the least processor time of 40 rounds`,
      figure: (spent / insns) * 1000,
      unit: "ms for 1,000 instructions",
      note: "of all threads, so that other work on the machine counts less",
    },
    { name: `a live load of ${load.insns.length / 8} instructions to facts`, figure: one!, unit: "ms", limit: 0.1 },
  ];
}

/** The least processor time of a run, in milliseconds. */
function leastProcessorTime(run: () => unknown, rounds: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** The load of a real program of about 100 instructions. */
function hundredInsns(objects: readonly InstalledObject[]): Load {
  for (const { bytes } of objects) {
    const object = new BpfObject(bytes);
    for (const each of object.functions) {
      const program = object.program(each);
      if (program.insns.count >= 100 && program.insns.count <= 110) return liveLoad(object, program);
    }
  }
  throw new Error("no program has about 100 instructions");
}

function cold(objects: readonly InstalledObject[]): (Figure | Missing)[] {
  const name = "`inspect --json` over `llvm-objdump -d`, both cold, the same files";
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  try {
    const paths = objects.map(({ bytes }, index) => {
      const path = join(folder, `${index}.o`);
      writeFileSync(path, bytes);
      return path;
    });
    const quiet = { stdio: ["ignore", "ignore", "ignore"] as ["ignore", "ignore", "ignore"] };
    const bin = fileURLToPath(new URL("bin/countersign.js", root));
    if (spawnSync("llvm-objdump-19", ["-d", paths[0]!], quiet).status !== 0)
      return [{ name, missing: "llvm-objdump-19 is not installed" }];
    const [inspect, objdump, node] = medians(
      [
        () => spawnSync(process.execPath, [bin, "inspect", "--json", ...paths], quiet),
        () => spawnSync("llvm-objdump-19", ["-d", ...paths], quiet),
        () => spawnSync(process.execPath, ["-e", "0"], quiet),
      ],
      [9, 9, 9],
    );
    const note = `${paths.length} files: ${inspect!.toFixed(0)} ms, ${objdump!.toFixed(0)} ms; \`node -e 0\` ${node!.toFixed(0)} ms`;
    return [{ name, figure: inspect! / objdump!, unit: "times", note, limit: 8 }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SIZES = [1_000, 1_000_000] as const;

/** A program of moves, loads, stores, a helper and branches, over and over. */
function growth(): Figure[] {
  const loads = SIZES.map(longLoad);
  for (const load of loads)
    if (!factsOfLoad(load).effects.read_only)
      throw new Error("a program that changes nothing was not followed to its end");
  // as many instructions in either sample, so that what disturbs the machine disturbs both alike
  const times = medians(
    loads.map((load, index) => () => {
      for (let left = SIZES[1] / SIZES[index]!; left > 0; left--) factsOfLoad(load);
    }),
    [9, 9],
  ).map((ms) => ms / SIZES[1]);
  return [
    {
      name: "time for an instruction, of a million over of a thousand",
      figure: times[1]! / times[0]!,
      unit: "times",
      note: `${(times[1]! * SIZES[1]).toFixed(0)} ms for a million`,
      limit: 1.5,
    },
    { name: "a program of a million instructions to facts", figure: times[1]! * SIZES[1], unit: "ms", limit: 2000 },
  ];
}

const LENGTHS = [50_000, 999_990] as const;
const ROUNDS = 7;
/** How often the steepest family is measured again at most. */
const AGAIN = 12;

/**
 * Programs that could take more than in proportion to their length, and what the fuzzer found to take most: processor
 * time, by turns. The least of all rounds counts, because other work on the machine only adds to it, and the steepest
 * of many families would otherwise be the one that was disturbed most.
 */
function families(): Figure[] {
  const all: [name: string, make: (n: number) => Uint8Array][] = [
    ...Object.entries(GROWING_PROGRAMS).map(([name, family]): [string, (n: number) => Uint8Array] => [
      name,
      (n) => family(n).bytes(),
    ]),
    ["what the fuzzer found", (n) => programOf(GREEDIEST, n)],
  ];
  const measured = all.map(([name, make]) => measuredFamily(name, make));
  const worst = measured.reduce((a, b) => (b.large > a.large ? b : a));
  let steepest = steepestOf(measured);
  // The steepest of many figures is the one that was disturbed most, so it is measured again until it stays the
  // steepest. What it keeps is the least of all its rounds.
  for (let again = 0; again < AGAIN; again++) {
    const before = steepest;
    measureFamily(before);
    steepest = steepestOf(measured);
    if (steepest === before && again > 0) break;
  }
  const [fewer, more] = leastTimes(LENGTHS.map(touchingLoop));
  return [
    {
      name: "processor time of 1,000,000 instructions over 50,000, of a loop that analyses nothing",
      figure: more / fewer,
      unit: "times",
      note: "reads each instruction and writes 16 bytes for it; exactly linear is 20",
    },
    {
      name: `processor time of 1,000,000 instructions over 50,000, the most of ${measured.length} families`,
      figure: steepest.ratio,
      unit: "times",
      note: steepest.name,
      limit: 20,
    },
    {
      name: `1,000,000 instructions to facts, the most of ${measured.length} families`,
      figure: worst.large,
      unit: "ms",
      note: worst.name,
      limit: 2000,
    },
  ];
}

interface Family {
  readonly name: string;
  readonly make: (n: number) => Uint8Array;
  /** The least processor times of either length, in milliseconds. */
  small: number;
  large: number;
  /** How many times as long the longer program takes, as if it had exactly 20 times as many instructions. */
  ratio: number;
}

function measuredFamily(name: string, make: Family["make"]): Family {
  const most = Number.POSITIVE_INFINITY;
  const family = { name, make, small: most, large: most, ratio: most };
  measureFamily(family);
  return family;
}

function measureFamily(family: Family): void {
  const loads = LENGTHS.map((length) => loadOf(family.make(length)));
  const [small, large] = leastTimes(loads.map((load) => () => attempt(load)));
  const [fewer, more] = loads.map(({ insns }) => insns.length) as [number, number];
  family.small = Math.min(family.small, small);
  family.large = Math.min(family.large, large);
  family.ratio = (family.large / family.small / (more / fewer)) * (LENGTHS[1] / LENGTHS[0]);
}

function steepestOf(families: readonly Family[]): Family {
  return families.reduce((a, b) => (b.ratio > a.ratio ? b : a));
}

/** The least processor time of each run, one for each of `LENGTHS`, in milliseconds. */
function leastTimes(runs: readonly (() => unknown)[]): [number, number] {
  const least = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round <= ROUNDS; round++)
    for (const [index, run] of runs.entries()) {
      // As many instructions in either sample, so that each has its share of garbage collections.
      const repeated = Math.round(LENGTHS[1] / LENGTHS[index]!);
      const start = process.cpuUsage();
      for (let left = repeated; left > 0; left--) run();
      const { user, system } = process.cpuUsage(start);
      if (round > 0) least[index] = Math.min(least[index]!, (user + system) / 1000 / repeated);
    }
  return least as [number, number];
}

/** What memory alone costs: a loop over instructions that writes as many bytes as the analysis does. */
function touchingLoop(count: number): () => number {
  const insns = new DataView(new ArrayBuffer(8 * count));
  return () => {
    const own = new Int32Array(4 * count);
    let sum = 0;
    for (let slot = 0; slot < count; slot++) {
      sum = (sum + insns.getInt32(8 * slot, true) + insns.getInt32(8 * slot + 4, true) + slot) | 0;
      for (let word = 0; word < 4; word++) own[4 * slot + word] = sum + word;
    }
    for (let at = own.length - 1; at >= 0; at--) sum = (sum + own[at]!) | 0;
    return sum;
  };
}

function attempt(load: Load): void {
  try {
    factsOfLoad(load);
  } catch {
    // rejected, which takes its time, too
  }
}

const PATTERN = [
  "bf a2 000000000000", // r2 = r10
  "07 02 0000f8ffffff", // r2 += -8
  "7a 0a f8ff05000000", // *(u64 *)(r10 - 8) = 5
  "79 a3 f8ff00000000", // r3 = *(u64 *)(r10 - 8)
  "15 03 010005000000", // if r3 == 5 goto +1
  "b7 04 000007000000", // r4 = 7
  "85 00 000005000000", // call bpf_ktime_get_ns
  "07 00 000001000000", // r0 += 1
];

function longLoad(count: number): Load {
  const pattern = Buffer.from(PATTERN.join("").replaceAll(" ", ""), "hex");
  const insns = Buffer.alloc(count * 8, pattern);
  insns.set(Buffer.from("b7000000000000009500000000000000", "hex"), insns.length - 16);
  const attr = Buffer.alloc(168);
  attr.writeUInt32LE(5, 0); // tracepoint
  attr.writeUInt32LE(count, 4);
  const nothing = new Uint8Array(0);
  const records = { funcInfo: nothing, lineInfo: nothing, coreRelos: nothing };
  const fds = { mapByFd: () => null, mapByIndex: () => null };
  return { attr, insns, license: "GPL", btf: null, ...records, fds, kernel: null };
}

function names(): (Figure | Missing)[] {
  const name = "the running kernel's BTF read, and a name found in it";
  let bytes: Buffer;
  try {
    bytes = readFileSync("/sys/kernel/btf/vmlinux");
  } catch {
    return [{ name, missing: "this kernel has no BTF" }];
  }
  const [ms] = medians([() => new Btf(bytes).find("func", "bpf_task_release")], [7]);
  return [{ name, figure: ms!, unit: "ms", note: `${(bytes.length / 2 ** 20).toFixed(1)} MiB`, limit: 150 }];
}

/** Milliseconds that each takes: medians of runs by turns, the first of each left out. */
function medians(runs: readonly (() => unknown)[], times: readonly number[]): number[] {
  const taken: number[][] = runs.map(() => []);
  for (let round = 0; round <= Math.max(...times); round++)
    for (const [index, run] of runs.entries()) {
      if (round > times[index]!) continue;
      const start = performance.now();
      run();
      if (round > 0) taken[index]!.push(performance.now() - start);
    }
  return taken.map((values) => values.sort((a, b) => a - b)[values.length >> 1]!);
}
