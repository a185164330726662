// What a ticket costs a load through the agent, in instructions: `npm run bench:seal-tickets`. Loads real programs of
// libbpf-tools and xdp-tools in a container of a guest whose clock counts instructions (`-icount shift=0`): through an
// agent on a machine without a guard, and through that of a machine whose list is empty, so that each load needs a
// ticket. Needs what scripts/debian.sh installs. Fails if the limit is exceeded.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importSources } from "../scripts/sources.mjs";
import { printed, tableOf, verdict } from "./report.mjs";
import { countingGuest, writeResults } from "./results.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const KERNEL = "6.12";
const INSNS = [250, 2000];
const ROUNDS = 15;
/** For programs of at least so many instructions, what the load costs with a ticket over without, at most. */
const ASKED = { insns: 500, ratio: 1.5 };
const SOCKET = "/run/countersign/agent.sock";
const CONFIG = "version: 1\nattachments: [{ policy: allow.js, limits: { timeout: 10s } }]\ngate: { stall: 60s }\n";
const POLICY = "export const bpf_prog_load = () => 0;\n";

const {
  SEAL_INIT,
  SWITCHING_INIT,
  SealGuest,
  TargetKernel,
  compileProgram,
  cpio,
  embeddedObjects,
  listOfValues,
  ...more
} = await importSources(
  `
    export { SEAL_INIT, sealFragment } from "./src/seal/sealing.js";
    export { SWITCHING_INIT } from "./test/system/seal/guests/switched-root.js";
    export { SealGuest } from "./test/system/seal/guests/seal-guest.js";
    export { TargetKernel } from "./src/cli/kernel/target-kernel.js";
    export { compileProgram, listOfValues } from "./test/system/seal/guests/sealed-guest.js";
    export { cpio } from "./src/seal/initramfs/cpio.js";
    export { embeddedObjects } from "./test/support/real-objects.js";
    export { measuredPrograms } from "./bench/seal/programs.js";
    export { sealedAgent } from "./src/cli/input/sealed-agent.js";
  `,
  ROOT,
  join(ROOT, "dist/bench/seal-tickets.js"),
);

const folder = mkdtempSync(join(tmpdir(), "seal-tickets-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const config = join(folder, "countersign.yaml");
writeFileSync(config, CONFIG);
writeFileSync(join(folder, "allow.js"), POLICY);
const loadTimes = join(folder, "load-times");
execFileSync("gcc", ["-O2", "-static", fileURLToPath(new URL("seal/load-times.c", import.meta.url)), "-o", loadTimes]);

const probe = SealGuest.make(KERNEL);
if (typeof probe === "string") {
  console.log(`skipped: ${probe}`);
  process.exit(0);
}
const target = await TargetKernel.open(probe.kernel.image, { progress: async () => ({ step() {}, stop() {} }) });
probe.remove();
const programs = await target.use(() =>
  ["libbpf-tools", "xdp-tools"]
    .flatMap((name) => embeddedObjects(name))
    .flatMap((object) => more.measuredPrograms(object, target.kernel, ...INSNS)),
);

const run = `in-container ${SOCKET} one edge load-times /lib/programs ${ROUNDS} all`;
console.log(`${programs.length} programs of ${INSNS.join(" to ")} instructions on ${KERNEL}`);
const gate = times(
  `mkdir -p /run/countersign
node /countersign/bin/countersign.js agent --config /site/countersign.yaml --socket ${SOCKET} --shared-pids &
${run}`,
  (guest) => {
    guest.countersign();
    guest.file("site/countersign.yaml", CONFIG);
    guest.file("site/allow.js", POLICY);
  },
);
const agent = await more.sealedAgent({ config, socket: SOCKET, sharedPids: true });
const sealed = times(run, () => undefined, {
  following: [
    more.sealFragment({ mode: "enforce", list: listOfValues([]) }, "continue", agent),
    cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(SWITCHING_INIT) }]),
  ],
  commandLine: `rdinit=${SEAL_INIT}`,
});

const rows = programs.flatMap(({ name, insns }, index) => {
  const [without, ticket] = [gate[index], sealed[index]];
  if (!without) return [];
  if (!ticket) throw new Error(`${name} got no ticket`);
  const thousands = (each) => Math.round(each / 1000);
  const ratio = ticket / without;
  return {
    row: `${name} (${insns} instructions)`,
    figure: `${ratio.toFixed(3)} times (${thousands(ticket)}, ${thousands(without)} by an agent without a guard)`,
    asked: insns >= ASKED.insns ? [verdict(ratio <= ASKED.ratio, `at most ${ASKED.ratio} times`)] : [],
  };
});
if (rows.length === 0) throw new Error("no program was loaded without a guard");
const SUBJECT = "What a ticket costs a load, in thousands of instructions of the guest";
const table = tableOf(rows);
console.log(printed(SUBJECT, table.rows));
writeResults({ [SUBJECT]: table.rows }, countingGuest(KERNEL));
if (table.missed > 0) process.exitCode = 1;

/** The least number of instructions of each load in a guest that runs the script; 0 for a program that was denied. */
function times(script, fill, boot = {}) {
  const guest = SealGuest.make(KERNEL);
  guest.file("bin/load-times", readFileSync(loadTimes), 0o755);
  guest.file("bin/in-container", compileProgram("in-container"), 0o755);
  guest.file("lib/programs", Buffer.concat(programs.map(({ encoded }) => encoded)));
  fill(guest);
  const ran = guest.run(script, { icount: true, seconds: 1500, memory: 1536, ...boot });
  guest.remove();
  const found = [...ran.output.matchAll(/^(\d+) (\d+)$/gm)];
  if (found.length === 0) throw new Error(`the guest failed:\n${ran.console.slice(-3000)}`);
  return Object.fromEntries(found.map(([, number, time]) => [Number(number), Number(time)]));
}
