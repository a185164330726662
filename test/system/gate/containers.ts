import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Done } from "./site.js";

const CAPABILITIES = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"];
const DEPLOY = fileURLToPath(new URL("../../../deploy/", import.meta.url));

/** What a test wants of a container. */
export interface Wanted {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Without it, the container has the host's pid namespace. */
  readonly ownPids?: boolean;
  /** The profile of deploy/; `seccomp.json` without it. */
  readonly profile?: string;
}

/**
 * A bundle with busybox and one program of its own, which runc starts under the profile of deploy/, at another socket.
 */
export class Containers {
  #count = 0;

  constructor(
    private readonly folder: string,
    private readonly socket: string,
    program: string,
    /** How runc is called. */
    private readonly runc: readonly string[] = ["runc"],
  ) {
    mkdirSync(join(folder, "rootfs/bin"), { recursive: true });
    copyFileSync("/usr/bin/busybox", join(folder, "rootfs/bin/sh"));
    copyFileSync(program, join(folder, "rootfs/bin/attack"));
  }

  /** Runs a command in a new container, to its end. */
  run(command: readonly string[], wanted: Wanted = {}): Done {
    const id = this.#make(command, wanted);
    const [file = "", ...words] = this.#words(id);
    const run = spawnSync(file, words, { encoding: "utf8", timeout: 60_000 });
    return { status: run.status, signal: run.signal, stdout: run.stdout, stderr: run.stderr };
  }

  /** Starts a container that runs one command after the other, as they are asked for. */
  start(wanted: Wanted = {}): RunningContainer {
    const id = this.#make(["/bin/sh", "-c", SHELL], wanted);
    const [file = "", ...words] = this.#words(id);
    return new RunningContainer(id, spawn(file, words), this.runc);
  }

  /** A bundle's folder, for runtimes of a test's own choice. */
  bundle(command: readonly string[], wanted: Wanted = {}): { readonly id: string; readonly folder: string } {
    const id = this.#make(command, wanted);
    return { id, folder: join(this.folder, id) };
  }

  #words(id: string): readonly string[] {
    return [...this.runc, "run", "--bundle", join(this.folder, id), id];
  }

  /** The new container's id, which names its bundle too. */
  #make(command: readonly string[], { annotations = {}, ownPids = true, profile = "seccomp.json" }: Wanted): string {
    this.#count += 1;
    const id = `countersign-test-${process.pid}-${this.#count}`;
    const bundle = join(this.folder, id);
    mkdirSync(bundle);
    execFileSync("runc", ["spec"], { cwd: bundle });
    const path = join(bundle, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    config.process.terminal = false;
    config.process.args = command;
    config.process.capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
    config.root.path = join(this.folder, "rootfs");
    config.annotations = annotations;
    if (!ownPids)
      config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
    config.linux.seccomp = { ...JSON.parse(readFileSync(join(DEPLOY, profile), "utf8")), listenerPath: this.socket };
    writeFileSync(path, JSON.stringify(config));
    return id;
  }
}

/** Each line is a command; what it wrote ends with a line of its exit status. */
const SHELL = `while read -r line; do eval "$line" 2>&1; echo "END $?"; done`;

/** A container that goes on. */
export class RunningContainer {
  readonly #lines: AsyncIterator<string>;

  constructor(
    readonly id: string,
    private readonly runtime: ChildProcessWithoutNullStreams,
    private readonly runc: readonly string[],
  ) {
    this.#lines = createInterface({ input: runtime.stdout })[Symbol.asyncIterator]();
  }

  /** What a command of the container's shell writes. */
  async ask(command: string): Promise<string> {
    this.runtime.stdin.write(`${command}\n`);
    let said = "";
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${this.id} ended: ${said}${await this.#complaint()}`);
      if (/^END \d+$/.test(value)) return said;
      said += `${value}\n`;
    }
  }

  /** What the runtime wrote to standard error by its end. */
  async #complaint(): Promise<string> {
    if (this.runtime.exitCode === null && this.runtime.signalCode === null) await once(this.runtime, "close");
    const { exitCode, signalCode } = this.runtime;
    return `${this.runtime.stderr.read() ?? ""} (${exitCode ?? signalCode})`;
  }

  /** Runs a command as another process that the runtime starts in the container. */
  exec(...command: readonly string[]): Done {
    const [file = "", ...words] = [...this.runc, "exec", this.id, ...command];
    const run = spawnSync(file, words, { encoding: "utf8", timeout: 60_000 });
    return { status: run.status, signal: run.signal, stdout: run.stdout, stderr: run.stderr };
  }

  async end(): Promise<void> {
    if (this.runtime.exitCode !== null) return;
    this.runtime.stdin.end();
    await once(this.runtime, "exit");
  }
}
