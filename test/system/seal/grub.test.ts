/**
 * The next boot by Debian's signed shim and grub: root changes grub.cfg, or the files that it names, and boots again.
 * With Secure Boot, shim verifies the kernel only. Many boots with firmware for each, so only at night.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import {
  attackDisk,
  BUILT,
  CHANGED,
  changedRegisters,
  isStopped,
  type Lines,
  replacing,
  SEALED,
  SEALED_LINES,
  type ShownBoot,
  sealedParts,
  shownBoot,
  UNSEALED,
  UNSEALED_LINES,
} from "./guests/next-boot.js";
import { type GuestKernel, sealKernel } from "./guests/seal-kernels.js";
import { type SignedGrub, signedGrub } from "./guests/signed-grub.js";
import { testedKernels } from "./guests/tested-kernels.js";
import { DEFAULT_PATH, UefiMachine } from "./guests/uefi-machine.js";

/**
 * Registers of the TPM. grub measures its commands into 8, and the files that it reads into 9. Register 1 is left out:
 * the firmware measures its entry for the disk into it, whose title has the disk's serial number.
 */
const REGISTERS = [0, 4, 7, 8, 9, 14] as const;

/** What root changes, each on a disk of its own: the text that is there, and what root writes in its place. */
const CHANGES = {
  "command line in grub.cfg": [SEALED, UNSEALED],
  "initramfs that grub.cfg names": [BUILT, CHANGED],
  // its version in the header, which the boot does not need
  "kernel that grub.cfg names": ["@lists.debian.org) #1 SMP", "@lists.no-org.org) #1 SMP"],
} as const;

const UNCHANGED = "nothing";
type Boot = "first" | typeof UNCHANGED | keyof typeof CHANGES;

/** grub goes on after a command that failed: it halts if `linux` did. */
const configuration = (commandLine: string) => `
linux /vmlinuz ${commandLine}
initrd /seal.img /initrd.img
boot
halt
`;

/** What each boot shows without Secure Boot. */
const SHOWN: Readonly<Record<Boot, Lines>> = {
  first: [BUILT, ...SEALED_LINES, "attacked"],
  nothing: [BUILT, ...SEALED_LINES],
  "command line in grub.cfg": [BUILT, ...UNSEALED_LINES],
  "initramfs that grub.cfg names": [CHANGED, ...SEALED_LINES],
  "kernel that grub.cfg names": [BUILT, ...SEALED_LINES],
};

/** With Secure Boot: only the kernel is verified. */
const SHOWN_SECURE: typeof SHOWN = { ...SHOWN, "kernel that grub.cfg names": "refused" };

type Run = Readonly<Record<Boot, ShownBoot>>;

async function boots(machine: UefiMachine, kernel: GuestKernel, { shim, grub }: SignedGrub): Promise<Run> {
  const { initramfs, commandLine } = sealedParts(kernel, REGISTERS);
  const files = {
    [DEFAULT_PATH]: shim,
    "EFI/BOOT/grubx64.efi": grub,
    "EFI/debian/grub.cfg": Buffer.from(configuration(commandLine)),
    vmlinuz: readFileSync(kernel.image),
    "seal.img": initramfs[0]!,
    "initrd.img": initramfs[1]!,
  };
  const changed = Object.entries(CHANGES).map(([name, texts], at) => ({ name, disk: `boot-${at}`, texts }));
  for (const disk of ["first", ...changed.map(({ disk }) => disk)]) machine.disk(disk, files);
  const commands = changed.map(({ disk, texts: [found, put] }) => replacing(machine, disk, found, put));
  writeFileSync(machine.path("attack"), attackDisk(`${commands.join("\n")}\nsync\necho attacked\n`));
  const shown: Record<string, ShownBoot> = {};
  const boot = async (name: string, disks: readonly string[]) => {
    shown[name] = shownBoot(name, await machine.boot(disks, 600));
  };
  await boot("first", ["first", "attack", ...changed.map(({ disk }) => disk)]);
  await boot(UNCHANGED, ["first"]);
  for (const { name, disk } of changed) await boot(name, [disk]);
  return shown as Run;
}

async function run(secureBoot: boolean): Promise<Run | string> {
  if (process.env.COUNTERSIGN_NIGHTLY === undefined) return "runs at night";
  const missing = UefiMachine.missing();
  if (missing !== null) return missing;
  const [kernel, loaders] = [sealKernel(testedKernels()[0]!), signedGrub()];
  if (typeof kernel === "string") return kernel;
  if (typeof loaders === "string") return loaders;
  const machine = new UefiMachine(secureBoot ? "microsoft" : "none");
  try {
    return await boots(machine, kernel, loaders);
  } finally {
    machine.remove();
  }
}

const linesOf = (shown: Run) => Object.fromEntries(Object.entries(shown).map(([name, { lines }]) => [name, lines]));

/** Registers in which a boot that root changed differs from one that root did not change. */
function registersOf(shown: Run) {
  const changed = Object.keys(CHANGES).filter((name) => shown[name as Boot].lines !== "refused");
  return Object.fromEntries(
    changed.map((name) => [name, changedRegisters(REGISTERS, shown[UNCHANGED], shown[name as Boot])]),
  );
}

describe("the next boot by grub of a sealed machine", () => {
  let secure: Run | string | undefined;

  it("is root's with Secure Boot, but for the kernel", { timeout: 4_000_000 }, async ({ skip }) => {
    secure = await run(true);
    if (typeof secure === "string") return skip(secure);
    expect(linesOf(secure)).toEqual(SHOWN_SECURE);
    for (const name of casesOf("grub")) expect(isStopped(SHOWN_SECURE[name as Boot]), name).toBe(true);
  });

  it("is measured into the registers of a TPM", ({ skip }) => {
    if (typeof secure !== "object") return skip(secure ?? "needs the boots before");
    if (!UefiMachine.hasTpm()) return skip("needs swtpm");
    expect(registersOf(secure)).toEqual({
      "command line in grub.cfg": [8, 9],
      "initramfs that grub.cfg names": [9],
    });
  });

  it("is root's without Secure Boot", { timeout: 4_000_000 }, async ({ skip }) => {
    const open = await run(false);
    if (typeof open === "string") return skip(open);
    expect(linesOf(open)).toEqual(SHOWN);
  });
});
