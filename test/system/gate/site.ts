import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, type TestContext } from "vitest";
import type { DecisionRecord } from "../../../src/log/record.js";
import { recordsIn } from "../../support/records.js";
import { until } from "../../support/until.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const BIN = at("../../../bin/countersign.js");
const ATTACK = at("../attack/");

/** What came of a command. */
export interface Done {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A decision of the log. */
export type Logged = DecisionRecord;

/** For tests that load and close many programs, and wait for their release themselves (frees.h). */
export const UNTHROTTLED = "program_releases: 1000000";

/** A folder with a configuration, policies and compiled attacks, and a BPF file system of its own. */
export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-gate-"));
  readonly bpffs = join(this.folder, "bpf");

  constructor(policy: string, more = "") {
    mkdirSync(this.bpffs);
    execFileSync("mount", ["-t", "bpf", "none", this.bpffs]);
    this.policy(policy);
    this.write("countersign.yaml", `${CONFIG}${more}`);
  }

  policy(source: string): void {
    this.write("policy.js", source);
  }

  write(name: string, text: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** An attack, compiled. Its warnings are errors, so that what is measured is what is meant. */
  attack(name: string): string {
    const path = join(this.folder, name);
    if (!existsSync(path))
      execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-pthread", "-o", path, join(ATTACK, `${name}.c`)]);
    return path;
  }

  /** A BPF object of C source. */
  object(name: string, source: string): string {
    const path = this.write(`${name}.c`, source);
    const include = `-I/usr/include/${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu`;
    execFileSync("clang-19", [
      "-O2",
      "-g",
      "-target",
      "bpf",
      include,
      "-c",
      path,
      "-o",
      join(this.folder, `${name}.o`),
    ]);
    return join(this.folder, `${name}.o`);
  }

  bare(...command: readonly string[]): Done {
    return done(command, {});
  }

  run(...command: readonly string[]): Done {
    return this.runWith([], {}, ...command);
  }

  runWith(options: readonly string[], env: NodeJS.ProcessEnv, ...command: readonly string[]): Done {
    return done(this.#words(options, command), env);
  }

  /** The words that run a command behind a gate. */
  words(...command: readonly string[]): readonly string[] {
    return this.#words([], command);
  }

  #words(options: readonly string[], command: readonly string[]): readonly string[] {
    const config = ["--config", join(this.folder, "countersign.yaml")];
    return [process.execPath, BIN, "run", ...config, "--quiet", ...options, "--", ...command];
  }

  /** The same with its summary on stderr. */
  runLoud(...command: readonly string[]): Done {
    return this.runLoudWith([], ...command);
  }

  runLoudWith(options: readonly string[], ...command: readonly string[]): Done {
    const config = ["--config", join(this.folder, "countersign.yaml")];
    return done([process.execPath, BIN, "run", ...config, ...options, "--", ...command], {});
  }

  /** The records of the log, without those that say that loads wait, which can come in any test with many loads. */
  get log(): readonly Logged[] {
    return this.records.filter((record): record is Logged => record.type !== "throttle");
  }

  get records(): readonly { readonly type: string }[] {
    const path = join(this.folder, "log.jsonl");
    if (!existsSync(path)) return [];
    // a gate that is killed can leave the beginning of a line, whose decision had no effect: it does not count
    const text = readFileSync(path, "utf8");
    return recordsIn(text.slice(0, text.lastIndexOf("\n") + 1));
  }

  forgetLog(): void {
    rmSync(join(this.folder, "log.jsonl"), { force: true });
  }

  remove(): void {
    spawnSync("umount", [this.bpffs]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * One site for all tests of a group, each of which begins with an empty log. They skip where a gate cannot be, or where
 * one of the programs is not installed. The result can be called within tests.
 */
export function siteForTests(policy: string, programs: readonly string[], more = ""): () => Site {
  let site: Site;
  beforeAll(() => {
    site = new Site(policy, more);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, ...programs);
    site.forgetLog();
  });
  return () => site;
}

/** No policy runs out of time: on a busy machine it could, at any call. */
const CONFIG = `version: 1
log: { file: log.jsonl }
attachments: [{ policy: policy.js, limits: { timeout: 10s } }]
`;

/** Attachments that begin with `{ policy:`, with the time that those of a site have. */
export const patient = (attachments: string): string =>
  attachments.replaceAll("{ policy:", "{ limits: { timeout: 10s }, policy:");

/** The output of a command that ended with status 0. Another end fails the test, with what the command said. */
export function outputOf({ status, signal, stdout, stderr }: Done): string {
  expect([status, signal], `${stdout}${stderr}`).toEqual([0, null]);
  return stdout;
}

/** Runs a command to its end. Throws, with what it said, if it cannot be run or does not end. */
export function done(command: readonly string[], env: NodeJS.ProcessEnv = {}): Done {
  const [file = "", ...words] = command;
  const run = spawnSync(file, words, {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 280_000,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 28,
  });
  if (run.error !== undefined) throw new Error(`${run.error.message}: ${run.stdout}${run.stderr}`);
  return { status: run.status, signal: run.signal, stdout: run.stdout, stderr: run.stderr };
}

/** Skips a test, by name, where a gate cannot be. */
export function needsGate(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip("needs root");
  if (!existsSync("/proc/sys/kernel/seccomp/actions_avail")) context.skip("needs CONFIG_SECCOMP_FILTER");
}

/** Skips a test where programs that it runs are not installed. */
export function needs(context: TestContext, ...programs: readonly string[]): void {
  for (const program of programs)
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) context.skip(`needs ${program}`);
}

/**
 * Whether this kernel loads iterators over the elements of maps, which may write them: one that is locked down may
 * answer EPERM to root.
 */
export function loadsElementIterators(site: Site): boolean {
  const pin = join(site.bpffs, "probe");
  const { status } = site.bare("bpftool", "prog", "load", site.object("probe", ELEMENT_ITERATOR), pin);
  rmSync(pin, { force: true });
  return status === 0;
}

const ELEMENT_ITERATOR = `
__attribute__((section("iter/bpf_map_elem"), used)) int probe(void *ctx) { return 0; }
char _license[] __attribute__((section("license"))) = "GPL";
`;

/** Skips a test where it does not. */
export function needsElementIterators(context: TestContext, site: Site): void {
  needs(context, "bpftool", "clang-19");
  if (!loadsElementIterators(site)) context.skip("needs a kernel that loads iterators over elements of maps");
}

/**
 * Whether there is tracefs, which tracers look for where the kernel says that it belongs: mounted, where nobody has
 * yet.
 */
export function mountTracefs(): boolean {
  if (existsSync(join(TRACING, "events"))) return true;
  return spawnSync("mount", ["-t", "tracefs", "none", TRACING]).status === 0;
}

const TRACING = "/sys/kernel/tracing";

/** Skips a test where there is none. */
export function needsTracefs(context: TestContext): void {
  if (!mountTracefs()) context.skip("needs tracefs");
}

interface ListedProgram {
  readonly id: number;
  readonly name?: string;
}

/** The programs that the kernel has. */
export function programs(): readonly ListedProgram[] {
  return JSON.parse(outputOf(done(["bpftool", "-j", "prog", "list"])));
}

/**
 * Fails if the kernel keeps a program that it did not have before. Others come and go meanwhile: the kernel frees
 * programs some time after they are closed, and runtimes load programs of their own.
 */
export async function expectNoneLoadedSince(before: readonly ListedProgram[]): Promise<void> {
  const known = new Set(before.map(({ id }) => id));
  await until(() => expect(programs().filter(({ id }) => !known.has(id))).toEqual([]));
}

/** `r0 = 2; exit` as an XDP program. */
export const XDP_PASS = `
struct xdp_md;
__attribute__((section("xdp"), used)) int pass(struct xdp_md *ctx) { return 2; }
char _license[] __attribute__((section("license"))) = "GPL";
`;
