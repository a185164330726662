/**
 * The next boot: root changes what the firmware starts, and boots again. With Secure Boot and a signed UKI the firmware
 * refuses it; without, the change boots. Four boots with firmware for each, so only at night.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { COMMAND_LINE, INIT } from "../../../src/seal/virtual-machine/machine-start.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { sealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";
import { type Booted, UefiMachine, type UkiParts } from "./guests/uefi-machine.js";

const LISTED = 1;
const UNLISTED = 2;
const BUILT = "initramfs: as it was built";
const CHANGED = "initramfs: changed by root";
const SEALED = `rdinit=${SEAL_INIT}`;
/** The parameter of another length is padded, since a section of a UKI has a fixed size. */
const UNSEALED = "rdinit=/init".padEnd(SEALED.length);

/** What each boot shows; then root runs what is on the disk `attack`, which only the first boot has. */
const SCRIPT = `
disk() { for each in /sys/class/nvme/nvme*; do grep -q "^$1 *$" "$each/serial" && echo "/dev/\${each##*/}n1"; done; }
echo "${BUILT}"
load-value ${LISTED} ${UNLISTED}
attack=$(disk attack)
[ -n "$attack" ] || exit 0
tr -d '\\000' < "$attack" > /tmp/attack
. /tmp/attack
`;

/** The disks that root changes, each a copy of the one that is booted. */
const DISKS = ["boot-initramfs", "boot-command-line", "boot-other-uki"] as const;
type Attack = (typeof DISKS)[number];

function partsOf(kernel: string): UkiParts {
  const folder = (path: string) => ({ path, permissions: 0o755, contents: null });
  const program = (path: string, contents: Uint8Array) => ({ path, permissions: 0o755, contents });
  const archive = cpio([
    ...["bin", "proc", "sys", "dev", "tmp", "root"].map(folder),
    program("bin/busybox", readFileSync("/usr/bin/busybox")),
    program("bin/sh", readFileSync("/usr/bin/busybox")),
    program("bin/load-value", compileProgram("load-value")),
    program("init", Buffer.from(INIT)),
    program("script", Buffer.from(SCRIPT)),
  ]);
  const fragment = sealFragment({ mode: "enforce", list: listOfValues([LISTED]) }, "halt");
  return { kernel, initramfs: [fragment, archive], commandLine: `${COMMAND_LINE} ${SEALED}` };
}

/** The first boot, in which root changes three disks, and the boots from these. */
async function boots(machine: UefiMachine, kernel: string): Promise<Readonly<Record<Attack | "first", Booted>>> {
  const parts = partsOf(kernel);
  for (const name of ["first", ...DISKS]) machine.disk(name, parts, "own");
  machine.disk("other", { ...parts, commandLine: `${COMMAND_LINE} ${UNSEALED}` }, "other");
  const write = (attack: Attack, found: string, put: string) =>
    `printf '%s' '${put}' | dd of="$(disk ${attack})" bs=1 seek=${machine.offsetOf(found, attack)} conv=notrunc 2>/dev/null`;
  const attack = `
${write("boot-initramfs", BUILT, CHANGED)}
${write("boot-command-line", SEALED, UNSEALED)}
dd if="$(disk other)" of="$(disk boot-other-uki)" bs=1M 2>/dev/null
sync
echo attacked
`;
  writeFileSync(machine.path("attack"), Buffer.concat([Buffer.from(attack), Buffer.alloc(4096 - attack.length)]));
  const first = await machine.boot(["first", "attack", ...DISKS, "other"], 600);
  const after = { first } as Record<Attack | "first", Booted>;
  for (const name of DISKS) after[name] = await machine.boot([name], 600);
  return after;
}

const SEALED_LINES = [`program ${LISTED}: loaded`, `program ${UNLISTED}: EPERM`];
const UNSEALED_LINES = [`program ${LISTED}: loaded`, `program ${UNLISTED}: loaded`];

/** What each boot shows if the firmware starts it. */
const SHOWN: Readonly<Record<Attack | "first", readonly string[]>> = {
  first: [BUILT, ...SEALED_LINES, "attacked"],
  "boot-initramfs": [CHANGED, ...SEALED_LINES],
  "boot-command-line": [BUILT, ...UNSEALED_LINES],
  "boot-other-uki": [BUILT, ...UNSEALED_LINES],
};

async function run(kernel: SealKernel, secureBoot: boolean): Promise<Readonly<Record<string, unknown>> | string> {
  if (process.env.COUNTERSIGN_NIGHTLY === undefined) return "runs at night";
  const found = UefiMachine.missing() ?? sealKernel(kernel);
  if (typeof found === "string") return found;
  const machine = new UefiMachine(secureBoot);
  try {
    const after = await boots(machine, found.image);
    const shown = Object.entries(after).map(([name, { isRefused, output, console }]) => {
      if (!isRefused && output === "") throw new Error(`${name}:\n${console.slice(-3000)}`);
      return [name, isRefused ? "refused" : output.trim().split("\n")];
    });
    return Object.fromEntries(shown);
  } finally {
    machine.remove();
  }
}

describe("the next boot of a sealed machine", () => {
  const [kernel] = testedKernels();

  it("is refused by Secure Boot if root changed the UKI", { timeout: 2_700_000 }, async ({ skip }) => {
    const shown = await run(kernel!, true);
    if (typeof shown === "string") return skip(shown);
    const refused = Object.fromEntries(casesOf("secure-boot").map((name) => [name, "refused"]));
    expect(Object.keys(refused)).toEqual(DISKS);
    expect(shown).toEqual({ first: SHOWN.first, ...refused });
  });

  it("is root's without Secure Boot", { timeout: 2_700_000 }, async ({ skip }) => {
    const shown = await run(kernel!, false);
    if (typeof shown === "string") return skip(shown);
    expect(shown).toEqual(SHOWN);
  });
});
