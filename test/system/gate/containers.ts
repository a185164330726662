import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RunningProgram } from "./running-program.js";
import { type Done, done } from "./site.js";

const CAPABILITIES = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"];
const DEPLOY = fileURLToPath(new URL("../../../deploy/", import.meta.url));

/** What a test wants of a container. */
export interface Wanted {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Without it, the container has the host's pid namespace. */
  readonly ownPids?: boolean;
  /** The profile of deploy/, or the path of another one; `seccomp.json` without it. */
  readonly profile?: string;
  /** Capabilities that it does not have, of those that it has otherwise. */
  readonly without?: readonly string[];
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
    // the mount points too: containers that start at once share this root, and runc fails if another one has just made
    // them
    for (const name of ["bin", "dev", "proc", "sys"]) mkdirSync(join(folder, "rootfs", name), { recursive: true });
    copyFileSync("/usr/bin/busybox", join(folder, "rootfs/bin/sh"));
    copyFileSync(program, join(folder, "rootfs/bin/attack"));
  }

  /** Runs a command in a new container, to its end. */
  run(command: readonly string[], wanted: Wanted = {}): Done {
    return done(this.#words(this.#make(command, wanted)));
  }

  /**
   * Starts a container that runs one command after the other, as they are asked for. `runtime`: the words by which a
   * runtime is called as runc is.
   */
  start(wanted: Wanted = {}, runtime = this.runc): RunningContainer {
    const id = this.#make(["/bin/sh", "-c", SHELL], wanted);
    const [file = "", ...words] = this.#words(id, runtime);
    return new RunningContainer(id, new RunningProgram(file, words), runtime);
  }

  /** A bundle's folder, for runtimes of a test's own choice. */
  bundle(command: readonly string[], wanted: Wanted = {}): { readonly id: string; readonly folder: string } {
    const id = this.#make(command, wanted);
    return { id, folder: join(this.folder, id) };
  }

  #words(id: string, runtime = this.runc): readonly string[] {
    return [...runtime, "run", "--bundle", join(this.folder, id), id];
  }

  /** The new container's id, which names its bundle too. */
  #make(command: readonly string[], wanted: Wanted): string {
    const { annotations = {}, ownPids = true, profile = "seccomp.json", without = [] } = wanted;
    const capabilities = CAPABILITIES.filter((capability) => !without.includes(capability));
    this.#count += 1;
    const id = `countersign-test-${process.pid}-${this.#count}`;
    const bundle = join(this.folder, id);
    mkdirSync(bundle);
    execFileSync("runc", ["spec"], { cwd: bundle });
    const path = join(bundle, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    config.process.terminal = false;
    config.process.args = command;
    config.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    config.root.path = join(this.folder, "rootfs");
    config.annotations = annotations;
    if (!ownPids)
      config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
    config.linux.seccomp = { ...JSON.parse(readFileSync(resolve(DEPLOY, profile), "utf8")), listenerPath: this.socket };
    writeFileSync(path, JSON.stringify(config));
    return id;
  }
}

/** Each line is a command; what it wrote ends with a line of its exit status. */
export const SHELL = `while read -r line; do eval "$line" 2>&1; echo "END $?"; done`;

/** A container that goes on. */
export class RunningContainer {
  constructor(
    readonly id: string,
    private readonly runtime: RunningProgram,
    private readonly runc: readonly string[] = [],
  ) {}

  /** What a command of the container's shell writes. */
  async ask(command: string): Promise<string> {
    this.runtime.write(`${command}\n`);
    let said = "";
    for (;;) {
      const line = await this.runtime.line();
      if (/^END \d+$/.test(line)) return said;
      said += `${line}\n`;
    }
  }

  /** Runs a command as another process that the runtime starts in the container. */
  exec(...command: readonly string[]): Done {
    return done([...this.runc, "exec", this.id, ...command]);
  }

  async end(): Promise<void> {
    await this.runtime.finish();
  }
}
