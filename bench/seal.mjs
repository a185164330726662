// What the seal costs a load, in instructions: `npm run bench:seal`. Loads real programs of libbpf-tools and xdp-tools
// in a guest whose clock counts instructions (`-icount shift=0`): without a guard, with one that lists them, and with a
// list of 100,000. Needs what scripts/debian.sh installs. Fails if a limit is exceeded.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importSources } from "../scripts/sources.mjs";
import { printed, tableOf, verdict } from "./report.mjs";
import { countingGuest, writeResults } from "./results.mjs";

const KERNEL = "6.12";
/** Debian packages few programs of more than 500 instructions that need no module of the kernel. */
const INSNS = [250, 2000];
const ROUNDS = 15;
const ENTRIES = 100_000;
/**
 * Sealed over unsealed, for the program where it is greatest; and with 100,000 entries over as many entries as there
 * are programs, for all.
 */
const LIMITS = { sealed: 1.5, entries: 1.05 };

const { SealGuest, TargetKernel, embeddedObjects, encodeList, measuredPrograms, otherEntries, parseList, sealImage } =
  await importSources(`
    export { SealGuest } from "./test/system/seal/guests/seal-guest.js";
    export { TargetKernel } from "./src/cli/kernel/target-kernel.js";
    export { embeddedObjects } from "./test/support/real-objects.js";
    export { encodeList, parseList } from "./src/seal/list.js";
    export { measuredPrograms, otherEntries } from "./bench/seal/programs.js";
    export { sealImage } from "./src/seal/sealing.js";
  `);

const guest = SealGuest.make(KERNEL);
if (typeof guest === "string") {
  console.log(`skipped: ${guest}`);
  process.exit(0);
}
const target = await TargetKernel.open(guest.kernel.image, { progress: async () => ({ step() {}, stop() {} }) });
const programs = await target.use(() =>
  ["libbpf-tools", "xdp-tools"]
    .flatMap((name) => embeddedObjects(name))
    .flatMap((object) => measuredPrograms(object, target.kernel, ...INSNS)),
);

console.log(`${programs.length} programs of ${INSNS.join(" to ")} instructions on ${KERNEL}`);
const unsealed = await times(null);
const sealed = await times([]);
const many = await times(otherEntries(ENTRIES - programs.length));
guest.remove();

const loaded = programs.flatMap((program, index) => {
  const all = [unsealed, sealed, many].map((each) => each[index] ?? 0);
  return all[0] === 0 ? [] : [{ ...program, times: all }];
});
if (loaded.some(({ times: all }) => all.includes(0))) throw new Error("a program that is listed was denied");
const sum = (column) => loaded.reduce((total, { times: all }) => total + all[column], 0);
const ratio = (each) => `${each.toFixed(3)} times`;
const rows = loaded.map(({ name, insns, times: all }) => {
  const [without, its, listed] = all.map((each) => Math.round(each / 1000));
  const figure = `${ratio(all[1] / all[0])} (${its}, ${without} without a guard; ${listed} with a list of ${ENTRIES})`;
  const asked = [verdict(all[1] / all[0] <= LIMITS.sealed, `at most ${LIMITS.sealed} times`)];
  return { row: `${name} (${insns} instructions)`, figure, asked };
});
const entries = sum(2) / sum(1);
rows.push({
  row: `a list of ${ENTRIES} over one of ${programs.length}, all programs`,
  figure: ratio(entries),
  asked: [verdict(entries <= LIMITS.entries, `at most ${LIMITS.entries} times`)],
});
const SUBJECT = "What the seal costs a load, in thousands of instructions of the guest";
const table = tableOf(rows);
console.log(printed(SUBJECT, table.rows));
writeResults({ [SUBJECT]: table.rows }, countingGuest(KERNEL));
if (table.missed > 0) process.exitCode = 1;

/** The least number of instructions of each load; `more` entries are listed besides the programs, null is no guard. */
async function times(more) {
  const folder = mkdtempSync(join(tmpdir(), "seal-bench-"));
  const source = fileURLToPath(new URL("seal/load-times.c", import.meta.url));
  execFileSync("gcc", ["-O2", "-static", source, "-o", join(folder, "load-times")]);
  guest.file("bin/load-times", readFileSync(join(folder, "load-times")), 0o755);
  rmSync(folder, { recursive: true });
  guest.file(
    "bin/loader",
    readFileSync(fileURLToPath(new URL("../src/seal/loader/loader.bin", import.meta.url))),
    0o755,
  );
  guest.file("lib/programs", Buffer.concat(programs.map(({ encoded }) => encoded)));
  if (more !== null) {
    const entries = [...programs.map(({ entry }) => entry), ...more];
    const origin = { generation: 1n, kernelBtf: target.btfSha256, configuration: "00".repeat(32), release: "" };
    guest.file("lib/guard.image", sealImage({ mode: "enforce", list: parseList(encodeList(entries, origin)) }));
  }
  // The kernel still works in the background when /init has started: the clock of an idle guest jumps
  const seal = more === null ? "" : "loader /lib/guard.image";
  const ran = guest.run(`sleep 30\n${seal}\nload-times /lib/programs ${ROUNDS}`, {
    icount: true,
    seconds: 900,
    memory: 1024,
  });
  if (ran.status !== 0 || (more !== null && !ran.output.includes('"sealed":true')))
    throw new Error(`the guest failed:\n${ran.console.slice(-2000)}`);
  const found = [...ran.output.matchAll(/^(\d+) (\d+)$/gm)];
  return Object.fromEntries(found.map(([, number, time]) => [Number(number), Number(time)]));
}
