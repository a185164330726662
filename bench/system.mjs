// What the gate costs, against the same machine without it: `npm run bench:system [-- PART…]`. Needs root, gcc,
// libbpf-tools and tracefs. Each figure is a median of interleaved runs; `limit` is what it may be. A whole run, or one
// with --write, writes its rows to RESULTS.md. Parts, with the minutes that each takes on an idle machine: knownLoads
// and newLoads (3 each, which are mostly the pauses of test/system/attack/frees.h), recorded (5), containerLoads,
// denied, unwatched, mapAccess, listeners (1 each), firstEvent (2).
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundled } from "./bundle.mjs";
import { judged, printed } from "./report.mjs";
import { writeResults } from "./results.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = at("../bin/countersign.js");
const ROUNDS = 7;
/** Rounds where two gates take turns. */
const ALTERNATING = 21;
const LOADS = 3000;
/** Loads after which V8 has compiled what a gate executes for each load. */
const SETTLED = 4000;
/** Rounds of loads: each of the four ways waits 54 times for the kernel to free its loads. */
const LOAD_ROUNDS = 9;
/** Containers that are started one after another under an agent, and loads of each. */
const CONTAINERS = 45;
const CONTAINER_LOADS = 40;
/** Rounds after which a running agent has decided on a tool before. */
const WARM = 10;
/** Tools after which V8 has compiled what an agent executes for each call of one. */
const SETTLED_TOOLS = 100;
/** The beginning of each configuration. What is measured are loads that need not wait: frees.h bounds their number. */
const CONFIG = "version: 1\ngate: { program_releases: 1000000 }\n";
const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
/** Rows that were measured, by the subject of their table. */
const measured = {};

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
  write(
    "looked-up.js",
    `import { deny, map_lookup } from "countersign";
export const bpf_prog_load = (prog, current) => (map_lookup("users", String(current.uid)) ? 0 : deny("not for this user"));`,
  );
  write("users.json", '{ "0": true }');
  write(
    "whole-caller.js",
    `import { deny, map_lookup } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.comm !== "" && current.exe !== null && current.cgroup !== null && current.capabilities.length > 0 &&
  current.namespaces.net > 0 && map_lookup("users", String(current.uid)) ? 0 : deny("not for this task");`,
  );
  for (const policy of ["looked-up", "whole-caller"]) {
    const two = `${CONFIG}maps: { users: { file: users.json } }\nattachments: [{ policy: allow.js }, { policy: ${policy}.js }]\n`;
    write(`${policy}.yaml`, two);
    write(`${policy}-recorded.yaml`, `${two}log: { file: ${policy}.jsonl, level: inputs }\n`);
  }
  for (const name of ["allow", "current"]) write(`${name}.yaml`, `${CONFIG}attachments: [{ policy: ${name}.js }]\n`);
  const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const parts = [knownLoads, newLoads, containerLoads, recorded, denied, unwatched, mapAccess, firstEvent, listeners];
  const unknown = chosen.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(", ")}`);
  for (const part of parts) if (chosen.length === 0 || chosen.includes(part.name)) await part();
  const tables = {};
  for (const [subject, rows] of Object.entries(measured)) {
    const { rows: found, missed } = judged(rows);
    console.log(printed(subject, found));
    tables[subject] = found;
    if (missed > 0) process.exitCode = 1;
  }
  if (chosen.length === 0 || process.argv.includes("--write")) writeResults(tables);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
function write(name, text) {
  writeFileSync(join(folder, name), text);
}

/** `floor` is the figure of a gate in node that does the least of the same work, in place of a limit. */
function report(what, value, unit, { limit, floor, subject = "The live gate" } = {}) {
  measured[subject] ??= [];
  measured[subject].push({ name: what, figure: Number(value.toPrecision(3)), unit, limit, floor });
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

/** A gate in node that only asks the policies of a configuration: see bench/system/policies.ts. */
async function askingFloor(config) {
  const variables = Object.entries(await asking(config)).map(([name, value]) => `${name}=${value}`);
  return ["env", ...variables, ...floorInNode("ask")];
}

/** The environment of a floor that asks the policies of a configuration. */
async function asking(config) {
  const [module] = await bundled(["system/policies"]);
  return { MODULE: module, CONFIG: join(folder, `${config}.yaml`) };
}

/** Says on stderr which round of a part begins. */
function progress(part, round, rounds) {
  console.error(`${part}: round ${round + 1} of ${rounds}`);
}

/**
 * Medians of the first and of the last calls of one kind, `each` of them, and the processor time of all, in
 * microseconds.
 */
function calls(prefix, kind, count, each = count) {
  const [file, ...words] = [...prefix, join(folder, "calls"), kind, String(count), String(each)];
  const { stdout, stderr, status } = spawnSync(file, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${kind}: ${stderr}`);
  return timesOf(stdout);
}

function timesOf(line) {
  const [first, last, all] = line
    .trim()
    .split(" ")
    .map((text) => Number(text) / 1000);
  return { first, last, all };
}

/**
 * A gate in which `calls` can be run again and again, so that its start counts in no round. The first run begins a
 * second after the gate: until then V8 compiles the sandbox in a thread of its own.
 */
function runningGate(config) {
  const [file, ...words] = gated(config, "sh", "-c", 'sleep 1; while read -r words; do "$0" $words; done');
  const child = spawn(file, [...words, join(folder, "calls")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async calls(kind, count) {
      child.stdin.write(`${kind} ${count}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${kind}: the gate ended`);
      return timesOf(value);
    },
    async end() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

async function knownLoads() {
  await loads("seen", 95);
}

async function newLoads() {
  await loads("new", 200);
}

/**
 * What a gate adds to a BPF_PROG_LOAD of 100 instructions: this one, three that judge nothing, of C and in node, and
 * one in node that only asks the same policies. They take turns, so that all meet the same machine.
 */
async function loads(kind, limit) {
  const name = `BPF_PROG_LOAD of 100 instructions, ${kind}`;
  const { first, last } = addedTo(
    {
      C: [join(folder, "floor")],
      node: floorInNode("copy"),
      checking: floorInNode("check"),
      asking: await askingFloor("allow"),
      gate: gated("allow"),
    },
    kind,
  );
  report(`${name}, a gate of C that judges nothing: added p50`, first.C, "µs");
  report(`${name}, a gate in node that judges nothing: added p50`, first.node, "µs");
  report(`${name}, the gate in node that judges nothing / the gate of C`, first.node / first.C, "×");
  report(`${name}, the same, which also reads who loads and what was loaded: added p50`, first.checking, "µs");
  report(`${name}, that one / the gate of C`, first.checking / first.C, "×");
  report(`${name}, the same, which also asks the policies: added p50`, first.asking, "µs");
  report(`${name} to the gate: added p50`, first.gate, "µs", { limit });
  report(`${name}, the gate / the gate of C`, first.gate / first.C, "×", { floor: first.asking / first.C });
  report(`${name}, after ${SETTLED} loads, a gate of C that judges nothing: added p50`, last.C, "µs");
  report(`${name}, after ${SETTLED} loads, the gate in node that also reads: added p50`, last.checking, "µs");
  report(`${name}, after ${SETTLED} loads, the same, which also asks the policies: added p50`, last.asking, "µs");
  report(`${name}, after ${SETTLED} loads, that one / the gate of C`, last.asking / last.C, "×");
  report(`${name}, after ${SETTLED} loads, the gate: added p50`, last.gate, "µs");
  const ratio = `${name}, after ${SETTLED} loads, the gate / the gate of C`;
  report(ratio, last.gate / last.C, "×", { floor: last.asking / last.C });
}

/**
 * Medians of what each gate adds to one kind of load, in microseconds: to the first loads of a process, and to the last
 * ones.
 */
function addedTo(gates, kind) {
  const names = Object.keys(gates);
  const added = Object.fromEntries(names.map((name) => [name, { first: [], last: [] }]));
  for (let round = 0; round < LOAD_ROUNDS; round += 1) {
    progress(`loads, ${kind}`, round, LOAD_ROUNDS);
    const bare = calls([], kind, SETTLED + LOADS, LOADS);
    for (const name of names) {
      const its = calls(gates[name], kind, SETTLED + LOADS, LOADS);
      added[name].first.push(its.first - bare.first);
      added[name].last.push(its.last - bare.last);
    }
  }
  const medians = (which) => Object.fromEntries(names.map((name) => [name, median(added[name][which])]));
  return { first: medians("first"), last: medians("last") };
}

/** What an agent adds to loads of containers that load few programs each, once it has served a few of them. */
async function containerLoads() {
  const { agent, socket } = await startAgent("allow");
  await sleep(3000);
  const added = [];
  for (let round = 0; round < CONTAINERS; round += 1) {
    progress("containerLoads", round, CONTAINERS);
    const bare = calls([], "seen", CONTAINER_LOADS).first;
    added.push(calls([join(folder, "handed"), socket], "seen", CONTAINER_LOADS).first - bare);
    await sleep(150);
  }
  agent.kill("SIGTERM");
  await once(agent, "exit");
  const name = `BPF_PROG_LOAD of 100 instructions, seen, ${CONTAINER_LOADS} by each container`;
  const third = CONTAINERS / 3;
  report(`${name}: added p50, the first ${third} containers`, median(added.slice(0, third)), "µs");
  report(`${name}: added p50, the last ${third} of ${CONTAINERS} containers`, median(added.slice(-third)), "µs");
}

/**
 * A known load whose decision is written with all inputs, over one whose decision is not: two attachments, one look-up.
 * A record has the whole caller, so that the difference also has the reading of the caller, unless the policies have
 * read all of it.
 */
function recorded() {
  const policies = { "looked-up": "its uid", "whole-caller": "all that a record has of it" };
  const ratios = { "looked-up": [], "whole-caller": [] };
  for (let round = 0; round < ALTERNATING; round += 1) {
    progress("recorded", round, ALTERNATING);
    for (const policy of Object.keys(policies)) {
      const without = calls(gated(policy), "seen", SETTLED + LOADS, LOADS).last;
      ratios[policy].push(calls(gated(`${policy}-recorded`), "seen", SETTLED + LOADS, LOADS).last / without);
    }
  }
  for (const [policy, reads] of Object.entries(policies)) {
    const name = `a known load, recorded with all inputs / not recorded, policies read of the caller ${reads}`;
    const subject = "Decisions recorded with all inputs, and made again";
    report(name, median(ratios[policy]), "×", { limit: 1.15, subject });
  }
}

function denied() {
  const times = Array.from({ length: ROUNDS }, () => calls(gated("current"), "lookup", 5000).first);
  report("a bpf(2) denied by a policy that reads `current`: p50", median(times), "µs", { limit: 60 });
}

/** System calls that are not watched, against a filter of the same length that the kernel answers alone. */
async function unwatched() {
  const ratio = await ratioUnderGate("unwatched", "getppid", "filtered", 1_000_000);
  report("getppid under the gate / under a bare filter", ratio, "×", { limit: 1.03 });
}

/** Access to a map, which the gate's filter allows without a notification if no policy has hook `bpf`. */
async function mapAccess() {
  const ratio = await ratioUnderGate("mapAccess", "access", "allowed", 300_000);
  report("a look-up in a map under the gate / under a filter that allows all calls", ratio, "×", { limit: 1.1 });
}

/** The processor time of calls under the gate over that of calls without it, in runs by turns: the median. */
async function ratioUnderGate(part, kind, without, count) {
  const gate = runningGate("allow");
  const ratios = [];
  for (let round = 0; round < ALTERNATING; round += 1) {
    progress(part, round, ALTERNATING);
    const alone = calls([], without, count).all;
    ratios.push((await gate.calls(kind, count)).all / alone);
  }
  await gate.end();
  return median(ratios);
}

/** From the exec of execsnoop to its first event. */
async function firstEvent() {
  if (spawnSync("sh", ["-c", "command -v execsnoop-libbpf"]).status !== 0)
    return console.log("skipped: needs execsnoop-libbpf");
  if (!existsSync("/sys/kernel/tracing/events")) spawnSync("mount", ["-t", "tracefs", "none", "/sys/kernel/tracing"]);
  const command = ["sh", "-c", "date +%s%N; exec stdbuf -oL execsnoop-libbpf"];
  const { agent, socket } = await startAgent("allow");
  const [floor, carrying] = [await startFloorAgent("agent"), await startFloorAgent("carry")];
  const deciding = await startFloorAgent("decide", await asking("allow"));
  const ways = {
    bare: command,
    node: floorInNode("pass", ...command),
    run: gated("allow", ...command),
    floor: [join(folder, "listening"), floor.socket, ...command],
    carrying: [join(folder, "listening"), carrying.socket, ...command],
    deciding: [join(folder, "listening"), deciding.socket, ...command],
    agent: [join(folder, "handed"), socket, ...command],
  };
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const settled = { deciding: [], agent: [], bare: [] };
  try {
    for (let round = -WARM; round < ALTERNATING; round += 1) {
      progress("firstEvent", round + WARM, ALTERNATING + WARM);
      for (const [way, words] of Object.entries(ways)) {
        const time = await timeOfFirstEvent(words);
        if (round >= 0) times[way].push(time / 1000);
      }
    }
    for (let round = -SETTLED_TOOLS; round < ALTERNATING; round += 1) {
      progress("firstEvent, settled", round + SETTLED_TOOLS, ALTERNATING + SETTLED_TOOLS);
      for (const way of Object.keys(settled)) {
        if (round < 0 && way === "bare") continue;
        const time = await timeOfFirstEvent(ways[way]);
        if (round >= 0) settled[way].push(time / 1000);
      }
    }
  } finally {
    for (const each of [agent, floor.agent, carrying.agent, deciding.agent]) {
      each.kill("SIGTERM");
      await once(each, "exit");
    }
  }
  const bare = median(times.bare);
  const subject = "The first event of a tool";
  report("exec of execsnoop to its first event, without a gate: p50", bare, "ms", { subject });
  const ratio = (what, value, floor) => report(`the same ${what}`, value, "×", { floor, subject });
  const over = (way) => median(times[way]) / bare;
  const settledOver = (way) => median(settled[way]) / median(settled.bare);
  ratio("under a gate in node that has the kernel execute each call", over("node"));
  ratio("under `run`", over("run"), over("node"));
  ratio("handed to a running gate in node that has the kernel execute each call", over("floor"));
  ratio(
    "handed to a running gate in node that loads programs and creates maps itself, and decides nothing",
    over("carrying"),
  );
  ratio("handed to a running gate in node that also asks the policy, and checks and records nothing", over("deciding"));
  ratio("handed to a running agent", over("agent"), over("deciding"));
  const after = `has served ${SETTLED_TOOLS} tools`;
  ratio(`handed to the gate in node that also asks, and that ${after}`, settledOver("deciding"));
  ratio(`handed to an agent that ${after}`, settledOver("agent"), settledOver("deciding"));
}

/** A gate in node to which listeners are handed, and which judges nothing: see bench/system/floor.mjs. */
async function startFloorAgent(way, variables = {}) {
  const socket = join(folder, `${way}-floor.sock`);
  const agent = spawn(process.execPath, [at("system/floor.mjs"), way, socket], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(agent.stdout, "data");
  return { agent, socket };
}

async function timeOfFirstEvent([file, ...words]) {
  const child = spawn(file, words, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  // An event every 4 ms, from a random time on: otherwise the events of all rounds would be at the same times after the
  // start of the tool, and all times multiples of 4 ms.
  const ticking = spawn(join(folder, "ticks"), [String(Math.floor(4000 * Math.random()))], { stdio: "ignore" });
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

/**
 * An agent with one listener, with some and with a thousand, at about a fifth of the load that it can take. It waits
 * for one listener directly (src/sys/poll.ts), for some as for a thousand.
 */
async function listeners() {
  const { agent, socket } = await startAgent("current");
  await sleep(3000);
  report("RSS of an idle agent", resident(agent.pid) / 2 ** 20, "MB", { limit: 60 });
  report("RSS of an idle agent, without the pages of files", resident(agent.pid, "RssAnon") / 2 ** 20, "MB");
  const two = spawn(join(folder, "runtimes"), [socket, "2", "1", "0"], { stdio: ["pipe", "ignore", "inherit"] });
  await sleep(5000);
  report("RSS of an idle agent with two containers", resident(agent.pid) / 2 ** 20, "MB", { limit: 90 });
  two.stdin.end("\n\n");
  await once(two, "exit");
  const times = { 1: [], 16: [], 1000: [] };
  const memory = { 1: [], 16: [], 1000: [] };
  for (const count of [1, 16, 1000, 1, 16, 1000, 1, 16, 1000]) {
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
  report("one listener: p50 of a call", median(times[1]), "µs");
  report("1,000 listeners: p50 of a call", median(times[1000]), "µs");
  report("1,000 listeners / 16: p50 of a call", median(times[1000]) / median(times[16]), "×", { limit: 1.3 });
  report("1,000 listeners / one: p50 of a call", median(times[1000]) / median(times[1]), "×", { limit: 1.3 });
  report("RSS for each container", (median(memory[1000]) - median(memory[1])) / 999 / 1024, "KB", { limit: 20 });
  agent.kill("SIGTERM");
  await once(agent, "exit");
}

/** Bytes of a process by a counter of /proc/PID/status. */
function resident(pid, counter = "VmRSS") {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${counter}:\\s+(\\d+) kB$`, "m").exec(status)[1]) * 1024;
}
