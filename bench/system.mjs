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
/** Loads after which V8 has compiled what a gate executes for each load. */
const SETTLED = 4000;
/** Rounds after which a running agent has decided on a tool before. */
const WARM = 10;
const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
const results = [];

if (process.getuid() !== 0) {
  console.log("skipped: needs root");
  process.exit(0);
}
try {
  for (const name of ["calls", "floor", "listening", "runtimes", "handed", "ticks"])
    execFileSync("gcc", [
      "-O2",
      "-static",
      "-I",
      at("../test/system/attack"),
      "-o",
      join(folder, name),
      at(`system/${name}.c`),
    ]);
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
  for (const part of [loads, denied, unwatched, mapAccess, firstEvent, listeners])
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

/** A command under a gate in node that judges nothing: see bench/system/floor.mjs. */
function floorInNode(way, ...command) {
  return [process.execPath, at("system/floor.mjs"), way, join(folder, "listening"), ...command];
}

/** Median, without the first calls, and sum of the times of one kind of call, in microseconds. */
function calls(prefix, kind, count, first = 0) {
  const [file, ...words] = [...prefix, join(folder, "calls"), kind, String(count), String(first)];
  const { stdout, stderr, status } = spawnSync(file, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${kind}: ${stderr}`);
  const [middle, all] = stdout
    .trim()
    .split(" ")
    .map((text) => Number(text) / 1000);
  return { middle, all };
}

/**
 * What a gate adds to a BPF_PROG_LOAD of 100 instructions: this one, and two that judge nothing, of C and in node. They
 * take turns, so that all meet the same machine.
 */
function loads() {
  const gates = { C: [join(folder, "floor")], node: floorInNode("copy"), gate: gated("allow") };
  const limits = { seen: { micros: 95, ratio: 2 }, new: { micros: 200, ratio: 4 } };
  for (const [kind, limit] of Object.entries(limits)) {
    const name = `BPF_PROG_LOAD of 100 instructions, ${kind}`;
    const added = addedTo(gates, kind, ALTERNATING, LOADS);
    report(`${name}, a gate of C that judges nothing: added p50`, added.C, "µs");
    report(`${name}, a gate in node that judges nothing: added p50`, added.node, "µs");
    report(`${name}, the gate in node that judges nothing / the gate of C`, added.node / added.C, "×");
    report(`${name} to the gate: added p50`, added.gate, "µs", limit.micros);
    report(`${name}, the gate / the gate of C`, added.gate / added.C, "×", limit.ratio);
    const settled = addedTo(gates, kind, ROUNDS, LOADS + SETTLED, SETTLED);
    report(`${name}, after ${SETTLED} loads, the gate: added p50`, settled.gate, "µs");
    report(`${name}, after ${SETTLED} loads, the gate / the gate of C`, settled.gate / settled.C, "×");
  }
}

/** Median of what each gate adds to one kind of load, in microseconds, without the first loads of each process. */
function addedTo(gates, kind, rounds, count, first = 0) {
  const added = Object.fromEntries(Object.keys(gates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const bare = calls([], kind, count, first).middle;
    for (const [name, prefix] of Object.entries(gates))
      added[name].push(calls(prefix, kind, count, first).middle - bare);
  }
  return Object.fromEntries(Object.entries(added).map(([name, values]) => [name, median(values)]));
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

/** Access to a map, which the gate's filter allows without a notification if no policy has hook `bpf`. */
function mapAccess() {
  const settled = gated("allow", "sh", "-c", 'sleep 1; exec "$@"', "sh");
  const ratios = [];
  for (let round = 0; round < ALTERNATING; round += 1) {
    const alone = calls([], "allowed", 1_000_000).all;
    ratios.push(calls(settled, "access", 1_000_000).all / alone);
  }
  report("a look-up in a map under the gate / under a filter that allows all calls", median(ratios), "×", 1.1);
}

/** From the exec of execsnoop to its first event. */
async function firstEvent() {
  if (spawnSync("sh", ["-c", "command -v execsnoop-libbpf"]).status !== 0)
    return console.log("skipped: needs execsnoop-libbpf");
  if (!existsSync("/sys/kernel/tracing/events")) spawnSync("mount", ["-t", "tracefs", "none", "/sys/kernel/tracing"]);
  const command = ["sh", "-c", "date +%s%N; exec stdbuf -oL execsnoop-libbpf"];
  const { agent, socket } = await startAgent("allow");
  const ways = {
    bare: command,
    node: floorInNode("pass", ...command),
    run: gated("allow", ...command),
    agent: [join(folder, "handed"), socket, ...command],
  };
  const times = { bare: [], node: [], run: [], agent: [] };
  try {
    for (let round = -WARM; round < ALTERNATING; round += 1)
      for (const [way, words] of Object.entries(ways)) {
        const time = await timeOfFirstEvent(words);
        if (round >= 0) times[way].push(time / 1000);
      }
  } finally {
    agent.kill("SIGTERM");
    await once(agent, "exit");
  }
  const bare = median(times.bare);
  report("exec of execsnoop to its first event, without a gate: p50", bare, "ms");
  report("the same under a gate in node that has the kernel execute each call", median(times.node) / bare, "×");
  report("the same under `run`", median(times.run) / bare, "×", 1.25);
  report("the same handed to a running agent", median(times.agent) / bare, "×", 1.1);
}

async function timeOfFirstEvent([file, ...words]) {
  const child = spawn(file, words, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  // an event every 4 ms: what is measured cannot be more exact than that
  const ticking = spawn(join(folder, "ticks"), { stdio: "ignore" });
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

/** An agent that listens at a socket. */
async function startAgent(config) {
  const socket = join(folder, `${config}.sock`);
  const words = ["agent", "--socket", socket, "--config", join(folder, `${config}.yaml`), "--shared-pids"];
  const agent = spawn(process.execPath, [BIN, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  await once(agent.stdout, "data");
  return { agent, socket };
}

/** An agent with one listener and with a thousand, at about a fifth of the load that it can take. */
async function listeners() {
  const { agent, socket } = await startAgent("current");
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
