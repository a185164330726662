import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianKernel, type Kernel } from "./kernel.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What a guest did. */
export interface Ran {
  /** Of the script; null where the guest did not come to its end. */
  readonly status: number | null;
  /** What the script wrote. */
  readonly output: string;
  /** All that the kernel and the script wrote, for a test that fails. */
  readonly console: string;
}

/**
 * A machine of its own for what this kernel refuses: Debian's kernel under qemu, without hardware's help, with a file
 * system in memory that has busybox, node, this project's bundle, and what a test adds. It runs one script as root and
 * powers off.
 */
export class Guest {
  readonly #root = mkdtempSync(join(tmpdir(), "countersign-guest-root-"));

  private constructor(readonly kernel: Kernel) {
    for (const folder of ["bin", "proc", "sys", "dev", "tmp", "etc", "root"]) mkdirSync(join(this.#root, folder));
    copyFileSync("/usr/bin/busybox", this.#at("bin/busybox"));
    for (const applet of APPLETS) symlinkSync("busybox", this.#at(`bin/${applet}`));
    this.program(process.execPath, "bin/node");
    for (const part of [
      "bin",
      "dist",
      "package.json",
      "node_modules/koffi",
      "node_modules/@koromix",
      "node_modules/@jitl",
    ])
      cpSync(join(root, part), this.#at(`countersign/${part}`), { recursive: true, dereference: true });
  }

  /** A guest to be filled, or the reason why there can be none. */
  static make(): Guest | string {
    for (const program of ["qemu-system-x86_64", "busybox", "dpkg-deb"])
      if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `needs ${program}`;
    const kernel = debianKernel();
    return typeof kernel === "string" ? kernel : new Guest(kernel);
  }

  /** Adds a file, by its path in the guest. */
  file(path: string, contents: string | Uint8Array): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    writeFileSync(this.#at(path), contents);
  }

  /** Adds a program of this machine with the libraries that it needs. */
  program(file: string, path: string): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    copyFileSync(file, this.#at(path));
    chmodSync(this.#at(path), 0o755);
    const libraries = spawnSync("ldd", [file], { encoding: "utf8" }).stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g);
    for (const [, library = ""] of libraries) {
      mkdirSync(dirname(this.#at(library)), { recursive: true });
      copyFileSync(library, this.#at(library));
    }
  }

  /** Boots, runs a shell script, and powers off; or ends the guest after so many seconds. */
  run(script: string, seconds = 240): Ran {
    this.file("script", script);
    this.file("init", INIT);
    chmodSync(this.#at("init"), 0o755);
    const image = `${this.#root}.cpio`;
    execFileSync("sh", ["-c", `find . | busybox cpio -o -H newc > "$0" 2>/dev/null`, image], { cwd: this.#root });
    const { stdout } = spawnSync("qemu-system-x86_64", [...QEMU, "-kernel", this.kernel.image, "-initrd", image], {
      encoding: "utf8",
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
      maxBuffer: 1 << 26,
    });
    rmSync(image);
    const [, output = "", status] = /^BEGIN\r?\n(.*?)^END (\d+)\r?$/ms.exec(stdout) ?? [];
    return {
      status: status === undefined ? null : Number(status),
      output: output.replaceAll("\r", ""),
      console: stdout,
    };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #at(path: string): string {
    return join(this.#root, path);
  }
}

const APPLETS = [
  "sh",
  "mount",
  "insmod",
  "rmmod",
  "cat",
  "ls",
  "echo",
  "grep",
  "sleep",
  "poweroff",
  "test",
  "true",
  "timeout",
  "mkdir",
  "dmesg",
  "head",
  "tail",
  "ip",
];

/** Landlock and BPF as LSMs; the console says what the script does, and nothing of the kernel's below errors. */
const CMDLINE = "console=ttyS0 quiet loglevel=3 panic=-1 lsm=landlock,lockdown,yama,integrity,bpf mitigations=off";
const QEMU = [
  ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"],
  ...["-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-append", CMDLINE],
];

const INIT = `#!/bin/sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
echo
echo BEGIN
sh /script 2>&1
echo "END $?"
poweroff -f
`;
