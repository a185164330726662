import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../src/bpf/insn/digest.js";
import { loadedBtf } from "../src/bpf/recognition/loaded-btf.js";
import { StatedObjectForm } from "../src/bpf/recognition/stated-program.js";
import { StatedRelocator } from "../src/bpf/recognition.js";
import type { StatementContent } from "../src/bpf/statement/content.js";
import { encodeStatement, statementOf } from "../src/bpf/statement.js";
import { StatementStore } from "../src/engine/statements/statement-store.js";
import { IssuedObjects } from "../src/gate/call/issued-objects.js";
import { copyLoad, type LiveLoad } from "../src/gate/commands/prog-load/live-load.js";
import { Facts } from "../src/gate/commands/prog-load/load-facts.js";
import { LiveKernel, NO_FILES } from "../src/gate/recognition/live-kernel.js";
import { Recogniser } from "../src/gate/recognition/recogniser.js";
import { mapInfo } from "../src/sys/bpf.js";
import { signatureFolders, statementName } from "../src/trust/store.js";
import { FakeTask } from "../test/support/fake-task.js";
import { embeddedObjects } from "../test/support/real-objects.js";
import { attrOf, FIRST_MAP, KernelObjects } from "./kernel-objects.js";
import type { Figure, Missing } from "./row.js";

export const title = "Recognition";

const VMLINUX = "/sys/kernel/btf/vmlinux";
const PACKAGE = "libbpf-tools";
/** The tool whose load is measured. */
const TOOL = "opensnoop-libbpf";
const SIZES = [10, 1_000, 10_000] as const;
/** Loads with different settings. */
const CHOICES = 16;
/** Loads of one turn that are alike. */
const KNOWN = 50;
const WARM = 30;
const ROUNDS = 301;

/** What recognition adds to a load is the difference between the same loads with statements and without, by turns. */
export function rows(): (Figure | Missing)[] {
  const name = "what recognition adds to a load";
  if (process.getuid?.() !== 0) return [{ name, missing: "needs root, to create maps" }];
  let objects: ReturnType<typeof embeddedObjects>;
  try {
    readFileSync(VMLINUX);
    objects = embeddedObjects(PACKAGE);
  } catch {
    return [{ name, missing: `needs ${VMLINUX} and Debian's ${PACKAGE}` }];
  }
  const tool = objects.find((each) => each.name === `${PACKAGE}/${TOOL}`)!;
  const contents = [...new Map([tool, ...objects].map(({ bytes }) => [sha256(bytes), bytes])).values()].map(
    (bytes) => statementOf(bytes, null, {}).statement.content,
  );
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  try {
    const folders = SIZES.map((size) => fill(join(folder, String(size)), contents, size, join(folder, "all")));
    return [...loads(contents[0]!, folders), ...starts(folders)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder of this many statements, those of `contents` first. Files are made once, in `all`. */
function fill(folder: string, contents: readonly StatementContent[], size: number, all: string): string {
  for (const path of [all, folder]) mkdirSync(path, { recursive: true });
  for (let at = 0; at < size; at++) {
    const name = names[at] ?? write(all, changed(contents[at % contents.length]!, Math.floor(at / contents.length)));
    names[at] = name;
    linkSync(join(all, name), join(folder, name));
  }
  return folder;
}

const names: string[] = [];

function write(folder: string, content: StatementContent): string {
  const bytes = encodeStatement(content);
  const name = statementName(sha256(bytes));
  writeFileSync(join(folder, name), bytes);
  return name;
}

/**
 * Another object with programs of the same lengths: other names, and where a program has one, another constant. The
 * tracepoints' objects of libbpf-tools share programs already, so that some are alike in their instructions.
 */
function changed({ program, rules, version }: StatementContent, generation: number): StatementContent {
  if (generation === 0) return { program, rules, version };
  const programs = program.programs.map((each) => {
    const insns = Buffer.from(each.insns, "base64");
    const relocated = new Set(each.relocations.map(({ slot }) => slot));
    for (let at = 0; at < insns.length; at += insns[at] === LD_IMM64 ? 16 : 8) {
      if (insns[at] !== MOV_IMM || relocated.has(at / 8)) continue;
      insns.writeInt32LE(generation + 1_000, at + 4);
      break;
    }
    const name = `${each.name}_${generation}`;
    const functions = each.functions.map((of, index) => (index === 0 ? { ...of, name } : of));
    return { ...each, name, functions, insns: insns.toString("base64") };
  });
  const object = { ...program.object, sha256: sha256(Buffer.from(`${program.object.sha256} ${generation}`)) };
  return { program: { object, programs }, rules, version };
}

const LD_IMM64 = 0x18;
/** r = imm (64 bits) */
const MOV_IMM = 0xb7;

function loads(content: StatementContent, folders: readonly string[]): Figure[] {
  const kernel = new LiveKernel({ ...NO_FILES, vmlinux: () => readFileSync(VMLINUX) });
  const { task, known, choices, objects } = liveLoads(content, kernel);
  const factsWith = (recogniser: Recogniser | null) => new Facts({ find: () => null }, {}, kernel, recogniser);
  const ask = (facts: Facts, load: LiveLoad) => facts.of(load, objects, task.process, task.analyst());
  const firsts: number[] = [];
  const recognisers = folders.map((folder) => {
    const recogniser = new Recogniser(StatementStore.open(signatureFolders([folder])).all, kernel);
    const start = performance.now();
    const { statements, mismatches } = ask(factsWith(recogniser), known);
    if (statements.length !== 1) throw new Error(`the load was not recognised: ${JSON.stringify(mismatches)}`);
    firsts.push(performance.now() - start);
    while (recogniser.relocateNext());
    return recogniser;
  });
  const all = [null, ...recognisers];
  const again = byTurns(
    all.map((recogniser) => {
      const facts = factsWith(recogniser);
      return () => {
        for (let left = KNOWN; left > 0; left--) ask(facts, known);
      };
    }),
    KNOWN,
  );
  const anew = byTurns(
    all.map((recogniser) => () => {
      const facts = factsWith(recogniser);
      for (const load of choices) ask(facts, load);
    }),
    CHOICES,
  );
  const first = SIZES.map((size, index) => ({
    name: `the first load with as many instructions, ${size.toLocaleString("en")} statements`,
    ...{ figure: firsts[index]!, unit: "ms" },
    note: "programs are relocated in it for 250 ms at most, and those with its name",
  }));
  return [...first, ...figures("a known load", again, 3), ...figures("a load with new settings", anew, 60)];
}

/** `times` are those without statements, and then with as many as SIZES says. */
function figures(name: string, times: readonly (readonly number[])[], limit: number): Figure[] {
  const [without, fewest] = times as [readonly number[], readonly number[]];
  return SIZES.flatMap((size, index) => {
    const own = times[index + 1]!;
    const statements = size.toLocaleString("en");
    const ratio = { figure: median(own.map((time, round) => time / fewest[round]!)), unit: "times", limit: 1.25 };
    return [
      {
        name: `added to ${name}, ${statements} statements`,
        figure: median(own.map((time, round) => time - without[round]!)),
        ...{ unit: "µs", limit },
        note: `${median(without).toFixed(1)} µs without, ${median(own).toFixed(1)} µs with`,
      },
      ...(index === 0 ? [] : [{ name: `${name}, ${statements} statements over ${SIZES[0]}`, ...ratio }]),
    ];
  });
}

/** Loads of the program with most references to maps: one with the declared settings, and some with others. */
function liveLoads(content: StatementContent, kernel: LiveKernel) {
  const { object, programs } = content.program;
  const index = programs.reduce(
    (best, { map_references: own }, at) => (own.length > programs[best]!.map_references.length ? at : best),
    0,
  );
  const program = programs[index]!;
  const form = new StatedObjectForm(content);
  const { insns } = new StatedRelocator(kernel.kernel(false)!).relocate(form, index)[0]!;
  const inKernel = new KernelObjects(object, loadedBtf(form.originalBtf!, object));
  const objects = new IssuedObjects();
  const issue = (fd: number) => {
    const info = mapInfo(fd);
    if (typeof info === "number") throw new Error(`the kernel reports nothing of a map: ${info}`);
    const creation = { numaNode: 0, inner: null };
    objects.issue({
      id: info.id,
      entry: { creator: task.tgid, process: task.process, memory: 1, exclusive: false, creation },
    });
  };
  const task = new FakeTask();
  const attr = attrOf(task, { program, license: object.license, insns }, inKernel);
  for (const map of new Set(program.map_references.map((each) => each.map))) issue(inKernel.map(map));
  const known = copyLoad(task, attr);
  const rodata = object.maps.findIndex(({ name }) => name === ".rodata");
  const [setting] = form.settings.get(rodata)!;
  const choices = Array.from({ length: CHOICES }, (_, choice) => {
    const data = Buffer.from(object.maps[rodata]!.data!, "base64");
    data[setting!.offset] = choice + 1;
    const fd = inKernel.create(object.maps[rodata]!, data);
    issue(fd);
    task.fds.set(FIRST_MAP + rodata, fd);
    return copyLoad(task, attr);
  });
  return { task, known, choices, objects };
}

/** Microseconds of processor time of one load in each round, of runs of `count` loads. */
function byTurns(runs: readonly (() => void)[], count: number): readonly (readonly number[])[] {
  const times = runs.map((): number[] => []);
  for (let round = -WARM; round < ROUNDS; round++)
    for (const [index, run] of runs.entries()) {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[index]!.push((user + system) / count);
    }
  return times;
}

function starts(folders: readonly string[]): Figure[] {
  const size = SIZES.at(-1)!.toLocaleString("en");
  const costs = Array.from({ length: 3 }, () => inProcess(folders.at(-1)!));
  const { bytes } = costs[0]!;
  return [
    {
      name: `${size} statements read, processor time`,
      figure: median(costs.map(({ ms }) => ms)),
      unit: "ms",
      note: `${(bytes / MIB).toFixed(0)} MiB of statements`,
    },
    {
      name: "memory for them, over their bytes",
      figure: median(costs.map((each) => each.used / bytes)),
      unit: "times",
      limit: 1.5,
    },
  ];
}

const MIB = 2 ** 20;

interface StartCosts {
  /** Of processor time. */
  readonly ms: number;
  /** Bytes of memory that the process used for the store, and of the statements' files. */
  readonly used: number;
  readonly bytes: number;
}

/** Runs in a process of its own. */
export function startCosts(folder: string): StartCosts {
  const before = process.memoryUsage().rss;
  const start = process.cpuUsage();
  const { all, rejected } = StatementStore.open(signatureFolders([folder]));
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1_000;
  if (rejected.length > 0) throw rejected[0]!;
  return { ms, used: process.memoryUsage().rss - before, bytes: all.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

function inProcess(folder: string): StartCosts {
  const script = `import { startCosts } from ${JSON.stringify(import.meta.url)}; console.log(JSON.stringify(startCosts(${JSON.stringify(folder)})));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
