// What `countersign scan` costs: `npm run bench:scan`. It loads 1,000 programs of libbpf-tools, so that it runs in a
// guest, whose clock counts instructions (`-icount shift=0`): what else this machine does changes nothing. Commands
// take turns. Needs what scripts/debian.sh installs. Fails if a limit is exceeded.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { importSources } from "../scripts/sources.mjs";
import { bundled } from "./bundle.mjs";
import { printed, tableOf, verdict } from "./report.mjs";
import { countingGuest, writeResults } from "./results.mjs";

const KERNEL = "6.18";
const ROUNDS = 3;
const [PROGRAMS, LINKS] = [1000, 100];
/** Of times, and in MiB. */
const LIMITS = { listed: 2, effects: 2, memory: 128 };

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const SCAN = "node /countersign/bin/countersign.js scan";
/** By the names of the figures. */
const COMMANDS = {
  node: "node -e 0",
  listed: `${SCAN} --brief --json`,
  bpftool: "bpftool prog -j; bpftool link -j; bpftool net -j",
  effects: "node /countersign/bench/scan/effects.mjs",
  found: `${SCAN} --json`,
  dump: "dump",
};

const { DebianGuest, kernelOfSuite, embeddedObjects } = await importSources(
  `
  export { DebianGuest } from "./test/system/guest/debian-guest.js";
  export { kernelOfSuite } from "./test/system/guest/kernel.js";
  export { embeddedObjects } from "./test/support/real-objects.js";
`,
  CHECKOUT,
  join(CHECKOUT, "test/support/workplace.ts"),
);

const kernel = kernelOfSuite(KERNEL);
const guest = typeof kernel === "string" ? kernel : DebianGuest.make(kernel);
if (typeof guest === "string") {
  console.log(`skipped: ${guest}`);
  process.exit(0);
}
const [bundle] = await bundled(["scan/effects"]);
const ran = boot(guest);
const figures = Object.fromEntries(Object.keys(COMMANDS).map((name, number) => [name, median(number)]));
const { node, listed, bpftool, effects, found, dump } = figures;
const mib = Math.max(listed.memory, found.memory) / 1024;
const of = (one, other) =>
  `${((one.time - node.time) / other.time).toFixed(2)} times (${millions(one)}, and ${millions(other)})`;
const atMost = (one, other, limit) => verdict((one.time - node.time) / other.time <= limit, `at most ${limit} times`);
const rows = [
  {
    row: `${ran.loaded}: \`scan --brief --json\` over \`bpftool prog -j\`, \`link -j\` and \`net -j\``,
    figure: of(listed, bpftool),
    asked: [atMost(listed, bpftool, LIMITS.listed)],
  },
  {
    row: "listed, and what each program can at most do, over a C program that reads the symbols and dumps the same",
    figure: of(effects, dump),
    asked: [atMost(effects, dump, LIMITS.effects)],
  },
  {
    row: "`scan --json` over that C program: also which programs they are, and what hides",
    figure: of(found, dump),
    asked: [],
  },
  {
    row: "the most memory of both scans",
    figure: `${mib.toFixed(0)} MiB (${(node.memory / 1024).toFixed(0)} of node alone)`,
    asked: [verdict(mib <= LIMITS.memory, `at most ${LIMITS.memory} MiB`)],
  },
];
const SUBJECT = "Scan: 1,000 programs of libbpf-tools, in millions of instructions of the guest, without node's start";
const table = tableOf(rows);
console.log(printed(SUBJECT, table.rows));
writeResults({ [SUBJECT]: table.rows }, countingGuest(KERNEL));
if (table.missed > 0) process.exitCode = 1;

function boot(guest) {
  const folder = mkdtempSync(join(tmpdir(), "scan-bench-"));
  try {
    for (const [name, ...words] of [
      ["turns", "-static"],
      ["dump", "-static"],
      ["load-objects", "-lbpf"],
    ]) {
      const source = fileURLToPath(new URL(`scan/${name}.c`, import.meta.url));
      execFileSync("gcc", ["-O2", "-Wall", "-o", join(folder, name), source, ...words]);
      guest.program(join(folder, name), `bin/${name}`);
    }
    guest.copy(dirname(dirname(bundle)), "countersign/bench");
    guest.program(execFileSync("sh", ["-c", "command -v bpftool"], { encoding: "utf8" }).trim(), "bin/bpftool");
    const objects = embeddedObjects("libbpf-tools");
    for (const { name, bytes } of objects) guest.file(`lib/objects/${basename(name)}.o`, bytes);
    const commands = Object.values(COMMANDS).map((command) => `'${command}'`);
    const script = `
ip link set lo up; mkfifo /tmp/end
load-objects ${PROGRAMS} ${LINKS} /lib/objects/*.o < /tmp/end > /tmp/loaded 2>&1 & exec 3> /tmp/end
for try in $(seq 6000); do grep -q loaded /tmp/loaded && break; sleep 0.2; done
cat /tmp/loaded
turns ${ROUNDS} ${commands.join(" ")}`;
    const ran = guest.run(script, { icount: true, seconds: 3000, memory: 3072 });
    const loaded = /^loaded (.*)$/m.exec(ran.output)?.[1];
    if (ran.status !== 0 || loaded === undefined) throw new Error(`the guest failed:\n${ran.console.slice(-3000)}`);
    return { output: ran.output, loaded };
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

/** The median of the rounds of a command: nanoseconds of the clock, which are instructions, and KiB. */
function median(number) {
  const runs = [...ran.output.matchAll(/^RUN (\d+) (\d+) (\d+) (\d+) (\d+)$/gm)]
    .map(([, command, time, , memory, status]) => ({
      command: Number(command),
      time: Number(time),
      memory: Number(memory),
      status,
    }))
    .filter(({ command }) => command === number);
  if (runs.length !== ROUNDS) throw new Error(`${runs.length} runs of ${Object.keys(COMMANDS)[number]}`);
  const of = (key) => runs.map((run) => run[key]).sort((one, other) => one - other)[Math.floor(runs.length / 2)];
  return { time: of("time"), memory: of("memory") };
}

function millions({ time }) {
  return (time / 1e6).toFixed(0);
}
