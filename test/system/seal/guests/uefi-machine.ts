import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONSOLE_ONLY, type ScriptRun, scriptRun } from "../../../../src/seal/virtual-machine/machine-start.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";

/** Firmware of Debian's package ovmf that keeps its variables from the operating system (SMM). */
const FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
/** Its variables: without keys, or with those of Microsoft, where Secure Boot is on. */
const VARIABLES = { none: "/usr/share/OVMF/OVMF_VARS_4M.fd", microsoft: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd" };
/** Owner of the enrolled keys; any GUID will do. */
const OWNER = "11111111-2222-3333-4444-123456789abc";
/** Debian's programs in Python need Debian's interpreter, which comes first in this path. */
const ENVIRONMENT = { ...process.env, PATH: `/usr/bin:/usr/sbin:${process.env.PATH}` };
/** In MiB. */
const DISK = 96;

/** What an image of kernel, initramfs and command line (UKI) is made of. */
export interface UkiParts {
  /** Path of the bzImage. */
  readonly kernel: string;
  readonly initramfs: readonly Uint8Array[];
  readonly commandLine: string;
}

/** What a boot wrote to its console, and what its script did. */
export interface Booted extends ScriptRun {
  readonly console: string;
  /** Whether the firmware found nothing that it starts, or grub no kernel. */
  readonly isRefused: boolean;
}

/** A file of a disk, from which the firmware can start: a UKI that a key signed. */
export interface Uki {
  readonly parts: UkiParts;
  /** The machine's own key, or another one. */
  readonly key: "own" | "other";
}

/** Where the firmware looks for what it starts if no variable says so. */
export const DEFAULT_PATH = "EFI/BOOT/BOOTX64.EFI";

/** Whose keys the firmware has. Without keys, Secure Boot is off. */
export type FirmwareKeys = "own" | "microsoft" | "none";

/** A machine with UEFI under qemu without KVM. */
export class UefiMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-uefi-"));
  readonly #key = Authority.create({ subject: "Secure Boot", key: "rsa-2048", keyUsage: [0] });
  readonly #other = Authority.create({ subject: "Somebody else", key: "rsa-2048", keyUsage: [0] });

  constructor(keys: FirmwareKeys) {
    for (const [name, { pem }] of Object.entries({ own: this.#key, other: this.#other })) {
      writeFileSync(this.path(`${name}.key`), pem.key);
      writeFileSync(this.path(`${name}.pem`), pem.certificate);
    }
    copyFileSync(VARIABLES[keys === "microsoft" ? keys : "none"], this.path("variables"));
    if (keys !== "own") return;
    const certificate = this.path("own.pem");
    const options = ["--set-pk", "--add-kek", "--add-db"].flatMap((option) => [option, OWNER, certificate]);
    this.#run("virt-fw-vars", ["--inplace", this.path("variables"), ...options, "--no-microsoft", "--sb"]);
  }

  /** The reason why there can be no such machine here; null if there can be one. */
  static missing(): string | null {
    for (const program of ["qemu-system-x86_64", "ukify", "sbsign", "sbvarsign", "virt-fw-vars", "mformat"])
      if (spawnSync("sh", ["-c", `command -v ${program}`], { env: ENVIRONMENT }).status !== 0)
        return `needs ${program}`;
    return [FIRMWARE, ...Object.values(VARIABLES)].every((file) => existsSync(file)) ? null : "needs ovmf";
  }

  /** A file of this machine. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Makes a disk with UKIs, and files with their contents, by their paths. */
  disk(name: string, files: Readonly<Record<string, Uki | Uint8Array>>): void {
    const disk = this.path(name);
    writeFileSync(disk, "");
    this.#run("truncate", ["-s", `${DISK}M`, disk]);
    this.#run("mformat", ["-i", disk, "-F", "::"]);
    this.#run("mmd", ["-i", disk, "::EFI", "::EFI/BOOT", "::EFI/debian"]);
    for (const [path, file] of Object.entries(files)) {
      const copied = file instanceof Uint8Array ? this.path("file") : this.#uki(file);
      if (file instanceof Uint8Array) writeFileSync(copied, file);
      this.#run("mcopy", ["-i", disk, copied, `::${path}`]);
    }
  }

  #uki({ parts: { kernel, initramfs, commandLine }, key }: Uki): string {
    const archives = initramfs.map((bytes, at) => {
      writeFileSync(this.path(`initramfs.${at}`), bytes);
      return this.path(`initramfs.${at}`);
    });
    const uki = this.path("uki");
    const signing = ["--secureboot-private-key", this.path(`${key}.key`)];
    signing.push("--secureboot-certificate", this.path(`${key}.pem`));
    const parts = ["--linux", kernel, ...archives.flatMap((each) => ["--initrd", each]), "--cmdline", commandLine];
    this.#run("/usr/bin/python3", ["/usr/bin/ukify", "build", ...parts, ...signing, "--output", uki]);
    return uki;
  }

  /** What writes the other key's certificate to a variable of Secure Boot (db, dbx), signed by that key. */
  signedVariable(name: string): Uint8Array {
    const [list, signed] = [this.path("list"), this.path("signed")];
    this.#run("openssl", ["x509", "-in", this.path("other.pem"), "-outform", "DER", "-out", this.path("other.der")]);
    this.#run("sbsiglist", ["--owner", OWNER, "--type", "x509", "--output", list, this.path("other.der")]);
    const key = ["--key", this.path("other.key"), "--cert", this.path("other.pem")];
    const attributes = "NON_VOLATILE,BOOTSERVICE_ACCESS,RUNTIME_ACCESS";
    const output = ["--include-attrs", "--attr", attributes, "--output", signed];
    this.#run("sbvarsign", [...key, ...output, name, list]);
    return readFileSync(signed);
  }

  /** Where a text is in a file of this machine. Throws if it is not there exactly once. */
  offsetOf(text: string, name: string): number {
    const bytes = readFileSync(this.path(name));
    const at = bytes.indexOf(text);
    if (at < 0 || bytes.includes(text, at + 1)) throw new Error(`\`${text}\` is not in ${name} exactly once`);
    return at;
  }

  /**
   * Boots from the first disk, or as the variables of the firmware say. The kernel numbers disks as it finds them:
   * their serial numbers are their names.
   */
  boot(disks: readonly string[], seconds: number, from: "first disk" | "variables" = "first disk"): Promise<Booted> {
    const drives = disks.flatMap((name, at) => [
      ...["-drive", `if=none,id=disk${at},format=raw,file=${this.path(name)}`],
      ...["-device", `nvme,serial=${name},drive=disk${at}${at === 0 && from === "first disk" ? ",bootindex=0" : ""}`],
    ]);
    const words = [
      ...["-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max", "-m", "1024", ...CONSOLE_ONLY],
      ...["-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
      ...["-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${FIRMWARE}`],
      ...["-drive", `if=pflash,unit=1,format=raw,file=${this.path("variables")}`],
      ...drives,
      ...this.#tpm(),
    ];
    return new Promise((resolve) => {
      let console = "";
      const guest = spawn("timeout", ["-k", "2", String(seconds), "qemu-system-x86_64", ...words], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      guest.stdout.on("data", (chunk: Buffer) => {
        console += chunk.toString("latin1");
        if (REFUSED.test(console)) guest.kill(); // it waits for a key; timeout(1) passes the signal on
      });
      guest.once("close", () =>
        resolve({ ...scriptRun(console.replaceAll("\r", "")), console, isRefused: REFUSED.test(console) }),
      );
    });
  }

  /** Whether the machine has a TPM 2.0: Debian's package swtpm. It ends with the machine. */
  static hasTpm(): boolean {
    return spawnSync("sh", ["-c", "command -v swtpm"], { env: ENVIRONMENT }).status === 0;
  }

  #tpm(): readonly string[] {
    if (!UefiMachine.hasTpm()) return [];
    const socket = this.path("tpm.socket");
    const state = ["--tpmstate", `dir=${this.#folder}`, "--ctrl", `type=unixio,path=${socket}`];
    this.#run("swtpm", ["socket", "--tpm2", ...state, "--flags", "startup-clear", "--daemon", "--terminate"]);
    return [
      ...["-chardev", `socket,id=tpm,path=${socket}`, "-tpmdev", "emulator,id=tpm0,chardev=tpm"],
      ...["-device", "tpm-tis,tpmdev=tpm0"],
    ];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(program: string, words: readonly string[]): void {
    execFileSync(program, words, { env: ENVIRONMENT, stdio: ["ignore", "ignore", "pipe"] });
  }
}

/** What OVMF writes if no boot option can be started, and what grub writes if shim does not take the kernel. */
const REFUSED = /BdsDxe: No bootable option or device was found|bad shim (?:loader )?signature/;
