import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { mountPoints } from "../../../src/loaded/mounts/mount-points.js";
import { nextObjectId } from "../../../src/sys/bpf.js";
import { RunningProgram } from "../gate/running-program.js";

const BIN = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));

/** Compiles a program of this folder into another one, and returns its path. */
export function compiled(name: string, folder: string): string {
  const path = join(folder, name);
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  if (!existsSync(path)) execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-o", path, source]);
  return path;
}

/** Skips a test that the machine cannot run. */
export function needsScan(context: TestContext, ...programs: readonly string[]): void {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  if (process.geteuid?.() !== 0) context.skip("needs root");
  if (nextObjectId("program", 0) === -1) context.skip("may not list programs");
  for (const program of programs)
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) context.skip(`needs ${program}`);
}

// biome-ignore lint/suspicious/noExplicitAny: a line of JSON
export type Line = any;

/** Runs `scan --json` and returns its lines and status. */
export function scanned(...words: readonly string[]): {
  readonly lines: readonly Line[];
  readonly status: number | null;
} {
  const { stdout, status } = spawnSync(process.execPath, [BIN, "scan", "--json", ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return {
    lines: stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    status,
  };
}

/** A process with attached programs, in a network and a mount namespace of its own. */
export class Attached {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-scan-"));
  /** Where its own mount namespace has a BPF file system. */
  readonly pins = join(this.folder, "pins");
  /** The cgroup that a program is attached to, by its path in the unified hierarchy; null if that is not mounted. */
  cgroup: string | null = null;
  #mount: string | null = null;
  #running: RunningProgram | null = null;
  /** The ids of its programs by name. */
  readonly ids = new Map<string, number>();
  /** The names of those that this kernel does not attach. */
  readonly failed: string[] = [];

  /** Starts it at the first call. */
  async start(): Promise<void> {
    if (this.#running !== null) return;
    const path = compiled("attached", this.folder);
    const tracing = join(this.folder, "tracing");
    mkdirSync(tracing);
    const script = `mount -t tracefs none ${tracing}; mount -t bpf none ${this.pins} && exec ${path} ${this.pins} ${this.#cgroupFolder()}`;
    mkdirSync(this.pins);
    this.#running = new RunningProgram("unshare", ["--net", "--mount", "sh", "-c", script]);
    for (let line = await this.#running.line(); line !== "ready"; line = await this.#running.line()) {
      const [name = "", id = ""] = line.split(" ");
      if (id === "failed") this.failed.push(line);
      else this.ids.set(name, Number(id));
    }
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  /** Makes a cgroup in the unified hierarchy; empty if that is not mounted. */
  #cgroupFolder(): string {
    const mounts = mountPoints(readFileSync("/proc/self/mountinfo", "latin1"), "cgroup2");
    this.#mount = mounts.find(({ root }) => root === "/")?.path ?? null;
    if (this.#mount === null) return "";
    this.cgroup = `/countersign-scan-${process.pid}`;
    mkdirSync(`${this.#mount}${this.cgroup}`);
    return `${this.#mount}${this.cgroup}`;
  }

  /** The path of one of its pins. */
  pinned(name: string): string {
    return join(this.pins, name);
  }

  async stop(): Promise<void> {
    await this.#running?.finish();
    if (this.cgroup !== null) rmdirSync(`${this.#mount}${this.cgroup}`);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
