// What the gate costs, against the same machine without it: `npm run bench:system [-- PART…]`. Needs root, gcc,
// libbpf-tools and tracefs. Each figure is a median of interleaved runs; `limit` is what it may be. A whole run writes
// its part of RESULTS.md.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { section, writeLive } from "./report.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = at("../bin/countersign.js");
const ROUNDS = 7;
/** Rounds where two gates take turns. */
const ALTERNATING = 21;
const LOADS = 3000;
const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
const results = [];

if (process.getuid() !== 0) {
  console.log("skipped: needs root");
  process.exit(0);
}
try {
  for (const name of ["calls", "floor", "runtimes"])
    execFileSync("gcc", ["-O2", "-I", at("../test/system/attack"), "-o", join(folder, name), at(`system/${name}.c`)]);
  write(
    "allow.js",
    `import { deny } from "countersign";
export const bpf_prog_load = (prog) =>
  prog.type !== "xdp" && (prog.signature === null || prog.effects.read_only) ? 0 : deny("not for this benchmark");`,
  );
  write(
    "current.js",
    `import { deny } from "countersign";
export const bpf = (command, current) => (current.uid === 4711 ? 0 : deny("not for this task"));`,
  );
  for (const name of ["allow", "current"]) write(`${name}.yaml`, `version: 1\nattachments: [{ policy: ${name}.js }]\n`);
  const chosen = process.argv.slice(2);
  for (const part of [loads, denied, unwatched, firstEvent, listeners])
    if (chosen.length === 0 || chosen.includes(part.name)) await part();
  const report = section("The live gate", results);
  console.log(report.text);
  if (chosen.length === 0) writeLive(report.text);
  process.exitCode = report.missed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
function write(name, text) {
  writeFileSync(join(folder, name), text);
}

function report(what, value, unit, limit) {
  results.push({ name: what, figure: Number(value.toPrecision(3)), unit, limit });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function gated(config, ...command) {
  return [process.execPath, BIN, "run", "--quiet", "--config", join(folder, `${config}.yaml`), "--", ...command];
}

/** Median and sum of the times of one kind of call, in microseconds. */
function calls(prefix, kind, count) {
  const [file, ...words] = [...prefix, join(folder, "calls"), kind, String(count)];
  const { stdout, stderr, status } = spawnSync(file, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${kind}: ${stderr}`);
  const [middle, all] = stdout
    .trim()
    .split(" ")
    .map((text) => Number(text) / 1000);
  return { middle, all };
}

/**
 * What a gate adds to a BPF_PROG_LOAD of 100 instructions: this one, and one of C that judges nothing. The two take
 * turns, so that both meet the same machine.
 */
function loads() {
  const floor = (kind) => calls([join(folder, "floor")], kind, LOADS).middle;
  const gate = (kind) => calls(gated("allow"), kind, LOADS).middle;
  const limits = { seen: { micros: 95, ratio: 2 }, new: { micros: 200, ratio: 4 } };
  for (const [kind, limit] of Object.entries(limits)) {
    const added = { floor: [], gate: [] };
    for (let round = 0; round < ALTERNATING; round += 1) {
      const bare = calls([], kind, LOADS).middle;
      added.floor.push(floor(kind) - bare);
      added.gate.push(gate(kind) - bare);
    }
    const name = `BPF_PROG_LOAD of 100 instructions, ${kind}`;
    report(`${name}, a gate of C that judges nothing: added p50`, median(added.floor), "µs");
    report(`${name} to the gate: added p50`, median(added.gate), "µs", limit.micros);
    report(`${name}, the gate / the gate of C`, median(added.gate) / median(added.floor), "×", limit.ratio);
  }
}

function denied() {
  const times = Array.from({ length: ROUNDS }, () => calls(gated("current"), "lookup", 5000).middle);
  report("a bpf(2) denied by a policy that reads `current`: p50", median(times), "µs", 60);
}

/**
 * System calls that are not watched, against a filter of the same length that the kernel answers alone. They begin a
 * second after the gate: until then V8 compiles the sandbox in a thread of its own, for 50 ms that are not the
 * filter's.
 */
function unwatched() {
  const settled = gated("allow", "sh", "-c", 'sleep 1; exec "$@"', "sh");
  const ratios = [];
  for (let round = 0; round < 3 * ROUNDS; round += 1) {
    const alone = calls([], "filtered", 2_000_000).all;
    ratios.push(calls(settled, "getppid", 2_000_000).all / alone);
  }
  report("getppid under the gate / under a bare filter", median(ratios), "×", 1.03);
}

/** From the exec of execsnoop to its first event, at best. */
async function firstEvent() {
  if (spawnSync("sh", ["-c", "command -v execsnoop-libbpf"]).status !== 0)
    return console.log("skipped: needs execsnoop-libbpf");
  if (!existsSync("/sys/kernel/tracing/events")) spawnSync("mount", ["-t", "tracefs", "none", "/sys/kernel/tracing"]);
  const command = ["sh", "-c", "date +%s%N; exec stdbuf -oL execsnoop-libbpf"];
  const times = { bare: [], gated: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.bare.push(await timeOfFirstEvent(command));
    times.gated.push(await timeOfFirstEvent(gated("allow", ...command)));
  }
  // the quickest of each: where the host has taken memory back, what allocates first waits for it, with or without a
  // gate
  report(
    "exec of execsnoop to its first event, under the gate / without",
    Math.min(...times.gated) / Math.min(...times.bare),
    "×",
    1.25,
  );
}

async function timeOfFirstEvent([file, ...words]) {
  const child = spawn(file, words, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  // something to be seen every 10 ms, which takes next to no time itself
  const ticking = spawn("sh", ["-c", "while sleep 0.01; do :; done"], { stdio: "ignore" });
  let start = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (start === 0) start = Number(BigInt(line) / 1000n);
    else if (!line.startsWith("PCOMM")) break;
  }
  const time = performance.timeOrigin * 1000 + performance.now() * 1000 - start;
  ticking.kill("SIGKILL");
  process.kill(-child.pid, "SIGKILL");
  await once(child, "exit");
  return time;
}

/** An agent with one listener and with a thousand, at about a fifth of the load that it can take. */
async function listeners() {
  const socket = join(folder, "agent.sock");
  const words = ["agent", "--socket", socket, "--config", join(folder, "current.yaml"), "--shared-pids"];
  const agent = spawn(process.execPath, [BIN, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  await once(agent.stdout, "data");
  await sleep(3000);
  report("RSS of an idle agent", resident(agent.pid) / 2 ** 20, "MB", 60);
  report("RSS of an idle agent, without the pages of files", resident(agent.pid, "RssAnon") / 2 ** 20, "MB");
  const two = spawn(join(folder, "runtimes"), [socket, "2", "1", "0"], { stdio: ["pipe", "ignore", "inherit"] });
  await sleep(5000);
  report("RSS of an idle agent with two containers", resident(agent.pid) / 2 ** 20, "MB", 90);
  two.stdin.end("\n\n");
  await once(two, "exit");
  const times = { 1: [], 1000: [] };
  const memory = { 1: [], 1000: [] };
  for (const count of [1, 1000, 1, 1000, 1, 1000]) {
    const runtimes = spawn(join(folder, "runtimes"), [socket, String(count), "4000", "150"]);
    const lines = createInterface({ input: runtimes.stdout })[Symbol.asyncIterator]();
    await lines.next();
    await sleep(500);
    memory[count].push(resident(agent.pid, "RssAnon"));
    runtimes.stdin.write("\n");
    times[count].push(Number((await lines.next()).value) / 1000);
    runtimes.stdin.end("\n");
    await once(runtimes, "exit");
  }
  report("1,000 listeners / one: p50 of a call", median(times[1000]) / median(times[1]), "×", 1.3);
  report("RSS for each container", (median(memory[1000]) - median(memory[1])) / 999 / 1024, "KB", 20);
  agent.kill("SIGTERM");
  await once(agent, "exit");
}

/** Bytes of a process by a counter of /proc/PID/status. */
function resident(pid, counter = "VmRSS") {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${counter}:\\s+(\\d+) kB$`, "m").exec(status)[1]) * 1024;
}
