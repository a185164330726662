import { readFileSync } from "node:fs";
import { cpio } from "../../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../../src/seal/sealing.js";
import { COMMAND_LINE, INIT } from "../../../../src/seal/virtual-machine/machine-start.js";
import type { GuestKernel } from "./seal-kernels.js";
import { compileProgram, listOfValues } from "./sealed-guest.js";
import type { Booted, UefiMachine, UkiParts } from "./uefi-machine.js";

const LISTED = 1;
const UNLISTED = 2;

/** What the initramfs writes; root writes the other text into it. */
export const BUILT = "initramfs: as it was built";
export const CHANGED = "initramfs: changed by root";

/** The parameter that seals the machine; the other one has its length, since root writes it in its place. */
export const SEALED = `rdinit=${SEAL_INIT}`;
export const UNSEALED = "rdinit=/init".padEnd(SEALED.length);

const UNLISTED_DENIED = `program ${UNLISTED}: EPERM`;
/** What a boot shows that is sealed, and one that is not. */
export const SEALED_LINES = [`program ${LISTED}: loaded`, UNLISTED_DENIED];
export const UNSEALED_LINES = [`program ${LISTED}: loaded`, `program ${UNLISTED}: loaded`];

/** What a boot shows, without the lines of registers; or that nothing was started. */
export type Lines = readonly string[] | "refused";

export const isStopped = (lines: Lines) => lines === "refused" || lines.includes(UNLISTED_DENIED);

/** What one boot shows. */
export interface ShownBoot {
  readonly lines: Lines;
  /** Values of registers of the TPM by their numbers. */
  readonly registers: ReadonlyMap<number, string>;
}

/** Shows registers of the TPM, runs `shows`, loads both programs, and then runs what is on the disk `attack`. */
const script = (registers: readonly number[], shows: string) => `
for register in ${registers.join(" ")}; do
  echo "pcr $register $(cat /sys/class/tpm/tpm0/pcr-sha256/$register 2>/dev/null || echo none)"
done
${shows}
disk() { for each in /sys/class/nvme/nvme*; do grep -q "^$1 *$" "$each/serial" && echo "/dev/\${each##*/}n1"; done; }
echo "${BUILT}"
load-value ${LISTED} ${UNLISTED}
attack=$(disk attack)
[ -n "$attack" ] || exit 0
tr -d '\\000' < "$attack" > /tmp/attack
. /tmp/attack
`;

/** A kernel with an initramfs that seals the machine: the fragment, and what runs the script. */
export function sealedParts(
  kernel: GuestKernel,
  registers: readonly number[],
  shows = "",
  files: Readonly<Record<string, Uint8Array>> = {},
): UkiParts {
  const folder = (path: string) => ({ path, permissions: 0o755, contents: null });
  const program = (path: string, contents: Uint8Array) => ({ path, permissions: 0o755, contents });
  const archive = cpio([
    ...["bin", "lib", "proc", "sys", "dev", "tmp", "root"].map(folder),
    program("bin/busybox", readFileSync("/usr/bin/busybox")),
    program("bin/sh", readFileSync("/usr/bin/busybox")),
    program("bin/load-value", compileProgram("load-value")),
    ...Object.entries(files).map(([path, contents]) => program(path, contents)),
    program("init", Buffer.from(INIT)),
    program("script", Buffer.from(script(registers, shows))),
  ]);
  const fragment = sealFragment({ mode: "enforce", list: listOfValues([LISTED]) }, "halt");
  return { kernel: kernel.image, initramfs: [fragment, archive], commandLine: `${COMMAND_LINE} ${SEALED}` };
}

/** A command of root that writes a text in the place of another one, on a disk. */
export function replacing(machine: UefiMachine, disk: string, found: string, put: string): string {
  const at = machine.offsetOf(found, disk);
  return `printf '%s' '${put}' | dd of="$(disk ${disk})" bs=1 seek=${at} conv=notrunc 2>/dev/null`;
}

/** The contents of the disk `attack`. */
export function attackDisk(commands: string): Uint8Array {
  return Buffer.concat([Buffer.from(commands), Buffer.alloc(4096 - commands.length)]);
}

/** Throws with the last lines of the console if the machine started, and its script did not. */
export function shownBoot(name: string, { isRefused, output, console }: Booted): ShownBoot {
  if (!isRefused && output === "") throw new Error(`${name}:\n${console.slice(-3000)}`);
  const lines = output.trim().split("\n");
  const registers = lines.flatMap((line) => {
    const [, number, value] = /^pcr (\d+) ([0-9A-F]{64})$/.exec(line) ?? [];
    return value === undefined ? [] : [[Number(number), value] as const];
  });
  const others = lines.filter((line) => !line.startsWith("pcr "));
  return { lines: isRefused ? "refused" : others, registers: new Map(registers) };
}

/** Registers in which two boots differ. */
export function changedRegisters(registers: readonly number[], one: ShownBoot, other: ShownBoot): readonly number[] {
  return registers.filter((number) => one.registers.get(number) !== other.registers.get(number));
}
