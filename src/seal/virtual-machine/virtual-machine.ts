import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CountersignError } from "../../error.js";
import { type CpioEntry, cpio } from "../initramfs/cpio.js";
import { COMMAND_LINE, CONSOLE_ONLY, DMA_DEVICE, INIT, scriptRun } from "./machine-start.js";

export interface VirtualMachineOptions {
  /** The file of the kernel: a vmlinuz. */
  readonly kernel: string;
  /** The file of UEFI firmware that starts it; null for the BIOS of qemu. */
  readonly firmware: string | null;
  /** What the guest has besides busybox; folders before what is in them. */
  readonly files: readonly CpioEntry[];
  /** A shell script that root runs. */
  readonly script: string;
  /** Initramfs fragments that precede the guest's own. */
  readonly fragments: readonly Uint8Array[];
  /** More words of the kernel's command line. */
  readonly commandLine: string;
  /** After so many seconds the guest is ended. */
  readonly seconds: number;
}

/**
 * Boots a kernel under qemu with an initramfs in memory, runs a script, and powers off. Returns what the script wrote.
 * Throws SEAL_NO_GUEST if a program is missing, or the guest does not come to its end.
 */
export function runVirtualMachine({
  kernel,
  firmware,
  files,
  script,
  fragments,
  commandLine,
  seconds,
}: VirtualMachineOptions): string {
  const busybox = readFileSync(programNamed("busybox", "busybox-static"));
  const folders = ["bin", "lib", "proc", "sys", "dev", "tmp", "root"];
  const own = cpio([
    ...folders.map((path) => ({ path, permissions: 0o755, contents: null })),
    { path: "bin/busybox", permissions: 0o755, contents: busybox },
    { path: "bin/sh", permissions: 0o755, contents: busybox },
    { path: "init", permissions: 0o755, contents: Buffer.from(INIT) },
    { path: "script", permissions: 0o644, contents: Buffer.from(script) },
    ...files,
  ]);
  const work = mkdtempSync(join(tmpdir(), "countersign-guest-"));
  try {
    const initramfs = join(work, "initramfs");
    writeFileSync(initramfs, Buffer.concat([...fragments, own]));
    const bios = firmware === null ? [] : ["-bios", firmware];
    const words = [
      ...MACHINE,
      ...bios,
      "-kernel",
      kernel,
      "-initrd",
      initramfs,
      "-append",
      `${COMMAND_LINE} ${commandLine}`,
    ];
    const { stdout, stderr } = spawnSync(programNamed("qemu-system-x86_64", "qemu-system-x86"), words, {
      encoding: "utf8",
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
      maxBuffer: 1 << 26,
    });
    const { status, output } = scriptRun(stdout);
    if (status !== null) return output;
    const lines = `${stdout}\n${stderr}`.trim().split("\n");
    const last = (lines.find((line) => line.includes("Kernel panic")) ?? lines.at(-1) ?? "").trim();
    throw new CountersignError("SEAL_NO_GUEST", `the guest did not come to its end: ${last}`, {
      place: kernel,
      remedy: "name a kernel for x86-64 that has its console at ttyS0 built in",
    });
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** A program of the path. Throws SEAL_NO_GUEST, with Debian's package of it. */
export function programNamed(name: string, debian: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  throw new CountersignError("SEAL_NO_GUEST", `there is no program \`${name}\``, {
    remedy: `install it: its package is ${debian} in Debian`,
  });
}

/** Without KVM, which is missing or does not work in many guests and containers. */
const MACHINE = [
  "-accel",
  "tcg,thread=multi",
  "-cpu",
  "max",
  "-smp",
  "2",
  "-m",
  "1024",
  ...CONSOLE_ONLY,
  ...DMA_DEVICE,
];
