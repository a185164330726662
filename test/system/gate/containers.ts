import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Done } from "./site.js";

const CAPABILITIES = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"];

/** What a test wants of a container. */
export interface Wanted {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Without it, the container has the host's pid namespace. */
  readonly ownPids?: boolean;
}

/** A bundle with busybox and one program of its own, which runc starts under a profile that notifies an agent. */
export class Containers {
  #count = 0;

  constructor(
    private readonly folder: string,
    private readonly socket: string,
    program: string,
  ) {
    mkdirSync(join(folder, "rootfs/bin"), { recursive: true });
    copyFileSync("/usr/bin/busybox", join(folder, "rootfs/bin/sh"));
    copyFileSync(program, join(folder, "rootfs/bin/attack"));
  }

  /** Runs a command in a new container, to its end. */
  run(command: readonly string[], { annotations = {}, ownPids = true }: Wanted = {}): Done {
    this.#count += 1;
    const id = `countersign-test-${process.pid}-${this.#count}`;
    execFileSync("runc", ["spec"], { cwd: this.#bundle(id) });
    const path = join(this.#bundle(id), "config.json");
    const config = JSON.parse(execFileSync("cat", [path], { encoding: "utf8" }));
    config.process.terminal = false;
    config.process.args = command;
    config.process.capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
    config.root.path = join(this.folder, "rootfs");
    config.annotations = annotations;
    if (!ownPids)
      config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
    config.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_X86_64"],
      listenerPath: this.socket,
      listenerMetadata: "countersign",
      syscalls: [{ names: ["bpf", "init_module", "finit_module"], action: "SCMP_ACT_NOTIFY" }],
    };
    writeFileSync(path, JSON.stringify(config));
    const run = spawnSync("runc", ["run", "--bundle", this.#bundle(id), id], { encoding: "utf8", timeout: 60_000 });
    return { status: run.status, signal: run.signal, stdout: run.stdout, stderr: run.stderr };
  }

  #bundle(id: string): string {
    const bundle = join(this.folder, id);
    mkdirSync(bundle, { recursive: true });
    return bundle;
  }
}
