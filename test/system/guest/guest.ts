import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  COMMAND_LINE,
  CONSOLE_ONLY,
  INIT,
  type ScriptRun,
  scriptRun,
} from "../../../src/seal/virtual-machine/machine-start.js";
import { own } from "../../support/workplace.js";

/** What a guest did. */
export interface Ran extends ScriptRun {
  /** All that the kernel and the script wrote, for a test that fails. */
  readonly console: string;
}

export interface BootOptions {
  /** More words of the kernel's command line. */
  readonly commandLine?: string;
  /** Initramfs fragments that precede that of the guest. */
  readonly fragments?: readonly Uint8Array[];
  /** Those that follow it; it is then compressed. */
  readonly following?: readonly Uint8Array[];
  /** An initramfs in the place of that of the guest, whose files are then on the disk /dev/nvme0n1 (ext4). */
  readonly initramfs?: Uint8Array;
  /** After so many seconds the guest is ended. */
  readonly seconds?: number;
  /** Ends the guest when the console has this text: for one that halts. */
  readonly until?: string;
  /** Count instructions instead of time (`-icount shift=0`): the guest's clock then depends on nothing else. */
  readonly icount?: boolean;
  /** In MiB. */
  readonly memory?: number;
  /** More words for qemu. */
  readonly devices?: readonly string[];
}

/**
 * A machine of its own for what this kernel refuses: one of Debian's kernels under qemu without KVM, with a file system
 * in memory that has busybox and what a test adds. It runs one script as root and powers off.
 */
export class Guest<K extends { readonly image: string; readonly firmware?: string | null }> {
  readonly #root = mkdtempSync(join(tmpdir(), "countersign-guest-root-"));

  constructor(readonly kernel: K) {
    // mkdtemp makes it 0700, and the guest's root would be closed to users.
    chmodSync(this.#root, 0o755);
    for (const folder of ["bin", "lib", "proc", "sys", "dev", "tmp", "etc", "root", "run"])
      mkdirSync(join(this.#root, folder));
    copyFileSync("/usr/bin/busybox", this.#at("bin/busybox"));
    symlinkSync("busybox", this.#at("bin/sh"));
  }

  /** The reason why there can be no guest on this machine; null if there can be one. */
  static missing(): string | null {
    for (const program of ["qemu-system-x86_64", "busybox", "dpkg-deb"])
      if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `needs ${program}`;
    return null;
  }

  /** Adds a file, by its path in the guest. */
  file(path: string, contents: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    writeFileSync(this.#at(path), contents);
    chmodSync(this.#at(path), mode);
  }

  /** Adds a file or folder of this machine as it is. */
  copy(from: string, path: string): void {
    cpSync(from, this.#at(path), { recursive: true, dereference: true });
  }

  /** Adds a program of this machine with the libraries that it needs. */
  program(file: string, path: string): void {
    this.file(path, readFileSync(file), 0o755);
    const libraries = spawnSync("ldd", [file], { encoding: "utf8" }).stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g);
    for (const [, library = ""] of libraries)
      if (!existsSync(this.#at(library))) this.file(library, readFileSync(library), 0o755);
  }

  /** Adds node, and this project with its libraries in `/countersign`. */
  countersign(): void {
    this.program(process.execPath, "bin/node");
    for (const part of INSTALLED) this.copy(own(part), `countersign/${part}`);
  }

  /** Boots, runs a shell script as root, and powers off. */
  run(script: string, options: BootOptions = {}): Ran {
    const { commandLine = "", fragments = [], following = [], seconds = 850, until } = options;
    const { icount = false, memory = 768, devices = [], initramfs } = options;
    this.file("script", script);
    this.file("init", INIT, 0o755);
    const image = `${this.#root}.cpio`;
    const disk = `${this.#root}.ext4`;
    if (initramfs === undefined)
      execFileSync("sh", ["-c", 'find . | busybox cpio -o -H newc > "$0" 2>/dev/null', image], { cwd: this.#root });
    else execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", "-d", this.#root, disk, "64M"]);
    if (initramfs !== undefined || fragments.length + following.length > 0) {
      const archive = initramfs ?? readFileSync(image);
      const own = initramfs !== undefined || following.length === 0 ? archive : gzipSync(archive, { level: 1 });
      writeFileSync(image, Buffer.concat([...fragments, own, ...following]));
    }
    const words = [
      ...["-accel", icount ? "tcg,thread=single" : "tcg,thread=multi", "-smp", icount ? "1" : "2"],
      ...(icount ? ["-icount", "shift=0,sleep=off"] : []),
      ...["-cpu", "max", "-m", String(memory), ...CONSOLE_ONLY, ...devices],
      ...(initramfs === undefined ? [] : ["-drive", `file=${disk},if=none,id=disk,format=raw`]),
      ...(initramfs === undefined ? [] : ["-device", "nvme,drive=disk,serial=disk"]),
      ...(typeof this.kernel.firmware === "string" ? ["-bios", this.kernel.firmware] : []),
      ...["-kernel", this.kernel.image, "-initrd", image],
      ...["-append", `${COMMAND_LINE} mitigations=off ${commandLine}`],
    ];
    const console = qemu(words, seconds, until).replaceAll("\r", "");
    for (const made of [image, disk]) rmSync(made, { force: true });
    return { ...scriptRun(console), console };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #at(path: string): string {
    return join(this.#root, path);
  }
}

/** What an installation of this project has. */
const INSTALLED = ["bin", "dist", "package.json", "node_modules/koffi", "node_modules/@koromix", "node_modules/@jitl"];

/** What the guest wrote to its console. `until` ends it early: timeout(1) passes the signal on. */
function qemu(words: readonly string[], seconds: number, until: string | undefined): string {
  const command = ["timeout", "-k", "2", String(seconds), "qemu-system-x86_64", ...words];
  const options = { encoding: "utf8" as const, maxBuffer: 1 << 27 };
  if (until === undefined) return spawnSync(command[0]!, command.slice(1), options).stdout;
  const script = `
text=$1; shift
coproc guest { exec "$@" </dev/null; }
pid=$guest_PID
while IFS= read -r line; do
  printf "%s\\n" "$line"
  case $line in *"$text"*) kill "$pid"; break ;; esac
done <&"\${guest[0]}"
wait "$pid"`;
  return spawnSync("bash", ["-c", script, "bash", until, ...command], options).stdout;
}
