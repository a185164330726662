import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, type TestContext } from "vitest";

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

/** One line of the decision log, as far as the tests look at it. */
export interface Logged {
  readonly id: string;
  readonly hook: string;
  readonly verdict: number;
  readonly probe?: string;
  readonly grants?: {
    readonly delegation?: { readonly by: string; readonly capabilities: readonly string[]; readonly mode: string };
    readonly freeze?: string;
  };
  readonly mode: string;
  readonly operation: string | null;
  readonly enforced_verdict: number;
  readonly denied_by: LoggedDenial | null;
  readonly audit_denials: readonly LoggedDenial[];
  readonly answers?: readonly {
    readonly attachment: string;
    readonly mode: string;
    readonly notes: readonly string[];
    readonly fault: { readonly code: string } | null;
  }[];
  readonly subject: { readonly name: string; readonly digest: string; readonly id?: number };
  readonly current: { readonly pid: number; readonly container: { readonly id: string } | null };
}

export interface LoggedDenial {
  readonly attachment: string | null;
  readonly verdict: number;
  readonly code: string;
  readonly rule?: string;
  readonly reason: string;
}

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

  get log(): readonly Logged[] {
    const path = join(this.folder, "log.jsonl");
    if (!existsSync(path)) return [];
    // a gate that is killed can leave the beginning of a line, whose decision had no effect: it does not count
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Logged);
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

const CONFIG = `version: 1
log: { file: log.jsonl }
attachments: [{ policy: policy.js }]
`;

function done(command: readonly string[], env: NodeJS.ProcessEnv): Done {
  const [file = "", ...words] = command;
  const run = spawnSync(file, words, {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 280_000,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 28,
  });
  if (run.error !== undefined) throw run.error;
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

/** Where the unified hierarchy of cgroups is; null on a machine without it. */
export function unified(): string | null {
  return / (\S+) cgroup2 /.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1] ?? null;
}

/** Ids of all programs that the kernel has. */
export function programIds(): readonly number[] {
  const programs = JSON.parse(execFileSync("bpftool", ["-j", "prog", "list"], { encoding: "utf8" })) as {
    id: number;
  }[];
  return programs.map(({ id }) => id);
}

/** `r0 = 2; exit` as an XDP program. */
export const XDP_PASS = `
struct xdp_md;
__attribute__((section("xdp"), used)) int pass(struct xdp_md *ctx) { return 2; }
char _license[] __attribute__((section("license"))) = "GPL";
`;
