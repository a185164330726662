/**
 * The next boot: root changes what the firmware starts, and boots again. With Secure Boot and a signed UKI the firmware
 * refuses it; without, the change boots. Many boots with firmware for each, so only at night.
 */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { COMMAND_LINE } from "../../../src/seal/virtual-machine/machine-start.js";
import { ACPI_STATUS, acpiFragment } from "./guests/acpi-table.js";
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
import { type GuestKernel, type SealKernel, sealKernel } from "./guests/seal-kernels.js";
import { compileProgram } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";
import { type Booted, DEFAULT_PATH, UefiMachine, type UkiParts } from "./guests/uefi-machine.js";

/** Registers of the TPM, of those that a changed boot can change. */
const REGISTERS = [0, 1, 4, 7, 11] as const;

/** Entries of the firmware's menu, by their numbers, and what they start. */
const ENTRIES = { "0099": "EFI/OTHER.EFI", "0098": "EFI/OLDER.EFI" } as const;
const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const DATABASE = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";

const TABLE = `echo "table $(cat ${ACPI_STATUS} >/dev/null 2>&1 && echo taken || echo "not taken")"`;

/** The disks that root changes, each a copy of the one that is booted. */
const DISKS = ["boot-initramfs", "boot-command-line", "boot-other-uki"] as const;
/**
 * Disks that root does not change, after root has given the firmware other entries: with a UKI that another key signed,
 * and with one without a seal that the machine's key signed.
 */
const OF_ENTRIES = ["entry-of-other-uki", "entry-of-signed-uki"] as const;
/** The disk is the owner's: its initramfs has an ACPI table. */
const WITH_TABLE = "acpi-table";
type Boot = "first" | (typeof DISKS)[number] | (typeof OF_ENTRIES)[number] | typeof WITH_TABLE;

/** EFI_LOAD_OPTION for a file of any disk, and its attributes as a variable. */
function loadOption(path: string): Uint8Array {
  const wide = (text: string) => Buffer.from(`${text}\0`, "utf16le");
  const file = wide(`\\${path.replaceAll("/", "\\")}`);
  const node = Buffer.from([4, 4, 4 + file.length, 0]);
  const list = Buffer.concat([node, file, Buffer.from([0x7f, 0xff, 4, 0])]);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(1, 0);
  head.writeUInt16LE(list.length, 4);
  return Buffer.concat([ATTRIBUTES, head, wide("attack"), list]);
}

/** EFI_VARIABLE_NON_VOLATILE, …_BOOTSERVICE_ACCESS, …_RUNTIME_ACCESS. */
const ATTRIBUTES = Buffer.from([7, 0, 0, 0]);

/** What root writes to the firmware's variables: by name, GUID and contents. */
function variablesOf(machine: UefiMachine): readonly (readonly [name: string, guid: string, contents: Uint8Array])[] {
  const entries = Object.entries(ENTRIES);
  const order = Buffer.concat([ATTRIBUTES, ...entries.map(([number]) => Buffer.from(number, "hex").reverse())]);
  return [
    ...entries.map(([number, path]) => [`Boot${number}`, GLOBAL, loadOption(path)] as const),
    ["BootOrder", GLOBAL, order],
    ...["db", "dbx"].map((name) => [name, DATABASE, machine.signedVariable(name)] as const),
  ];
}

function partsOf(kernel: GuestKernel, machine: UefiMachine): UkiParts {
  return sealedParts(kernel, REGISTERS, TABLE, {
    "bin/write-variable": compileProgram("write-variable"),
    ...Object.fromEntries([...kernel.modules(["efivarfs"])].map(([name, bytes]) => [`lib/${name}.ko`, bytes])),
    ...Object.fromEntries(variablesOf(machine).map(([name, , contents]) => [`lib/variable-${name}`, contents])),
  });
}

/** The first boot, in which root changes disks and variables, and the boots after it. */
async function boots(machine: UefiMachine, kernel: GuestKernel): Promise<Readonly<Record<Boot, Booted>>> {
  const parts = partsOf(kernel, machine);
  const uki = { parts, key: "own" } as const;
  const unsealed = { ...parts, commandLine: `${COMMAND_LINE} ${UNSEALED}` };
  for (const name of ["first", ...DISKS]) machine.disk(name, { [DEFAULT_PATH]: uki });
  machine.disk("other", { [DEFAULT_PATH]: { parts: unsealed, key: "other" } });
  machine.disk(OF_ENTRIES[0], { [DEFAULT_PATH]: uki, [ENTRIES["0099"]]: { parts: unsealed, key: "other" } });
  machine.disk(OF_ENTRIES[1], { [DEFAULT_PATH]: uki, [ENTRIES["0098"]]: { parts: unsealed, key: "own" } });
  const withTable = { ...parts, initramfs: [acpiFragment(), ...parts.initramfs] };
  machine.disk(WITH_TABLE, { [DEFAULT_PATH]: { parts: withTable, key: "own" } });
  const attack = `
${replacing(machine, "boot-initramfs", BUILT, CHANGED)}
${replacing(machine, "boot-command-line", SEALED, UNSEALED)}
dd if="$(disk other)" of="$(disk boot-other-uki)" bs=1M 2>/dev/null
insmod /lib/efivarfs.ko
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
${variablesOf(machine)
  .map(([name, guid]) => `write-variable ${name} ${guid} /lib/variable-${name}`)
  .join("\n")}
sync
echo attacked
`;
  writeFileSync(machine.path("attack"), attackDisk(attack));
  const first = await machine.boot(["first", "attack", ...DISKS, "other"], 600);
  const after = { first } as Record<Boot, Booted>;
  for (const name of [...DISKS, WITH_TABLE] as const) after[name] = await machine.boot([name], 600);
  for (const name of OF_ENTRIES) after[name] = await machine.boot([name], 600, "variables");
  return after;
}

const WRITTEN = ["Boot0099", "Boot0098", "BootOrder"].map((name) => `${name}: written`);

/** What each boot shows without Secure Boot. */
const SHOWN: Readonly<Record<Boot, Lines>> = {
  first: ["table not taken", BUILT, ...SEALED_LINES, ...WRITTEN, "db: written", "dbx: written", "attacked"],
  "boot-initramfs": ["table not taken", CHANGED, ...SEALED_LINES],
  "boot-command-line": ["table not taken", BUILT, ...UNSEALED_LINES],
  "boot-other-uki": ["table not taken", BUILT, ...UNSEALED_LINES],
  "acpi-table": ["table taken", BUILT, ...SEALED_LINES],
  "entry-of-other-uki": ["table not taken", BUILT, ...UNSEALED_LINES],
  "entry-of-signed-uki": ["table not taken", BUILT, ...UNSEALED_LINES],
};

/** With Secure Boot. The firmware passes over an entry that it refuses; it starts everything that its key signed. */
const SHOWN_SECURE: typeof SHOWN = {
  first: ["table not taken", BUILT, ...SEALED_LINES, ...WRITTEN, "db: EACCES", "dbx: EACCES", "attacked"],
  "boot-initramfs": "refused",
  "boot-command-line": "refused",
  "boot-other-uki": "refused",
  // since 6.12 the kernel asks before the lockdown of Secure Boot is there
  "acpi-table": ["table taken", BUILT, ...SEALED_LINES],
  "entry-of-other-uki": ["table not taken", BUILT, ...SEALED_LINES],
  "entry-of-signed-uki": ["table not taken", BUILT, ...UNSEALED_LINES],
};

type Run = Readonly<Record<Boot, ShownBoot>>;

async function run(kernel: SealKernel, secureBoot: boolean): Promise<Run | string> {
  if (process.env.COUNTERSIGN_NIGHTLY === undefined) return "runs at night";
  const found = UefiMachine.missing() ?? sealKernel(kernel);
  if (typeof found === "string") return found;
  const machine = new UefiMachine(secureBoot ? "own" : "none");
  try {
    const after = await boots(machine, found);
    return Object.fromEntries(Object.entries(after).map(([name, booted]) => [name, shownBoot(name, booted)])) as Run;
  } finally {
    machine.remove();
  }
}

const linesOf = (shown: Run) => Object.fromEntries(Object.entries(shown).map(([name, { lines }]) => [name, lines]));

describe("the next boot of a sealed machine", () => {
  const [kernel] = testedKernels();
  let secure: Run | string;
  let open: Run | string;

  it("is refused by Secure Boot if root changed the UKI", { timeout: 4_000_000 }, async ({ skip }) => {
    secure = await run(kernel!, true);
    if (typeof secure === "string") return skip(secure);
    expect(linesOf(secure)).toEqual(SHOWN_SECURE);
    for (const name of casesOf("secure-boot")) {
      expect(isStopped(SHOWN_SECURE[name as Boot] ?? SHOWN_SECURE.first), name).toBe(true);
    }
  });

  it("is root's without Secure Boot", { timeout: 4_000_000 }, async ({ skip }) => {
    open = await run(kernel!, false);
    if (typeof open === "string") return skip(open);
    expect(linesOf(open)).toEqual(SHOWN);
  });

  it("is measured into the registers of a TPM", ({ skip }) => {
    if (typeof open === "string" || typeof secure === "string") return skip("runs at night");
    if (!UefiMachine.hasTpm()) return skip("needs swtpm");
    const started = (shown: Run) =>
      Object.fromEntries(
        Object.entries(shown)
          .filter(([name, { lines }]) => name !== "first" && lines !== "refused")
          .map(([name]) => [name, changedRegisters(REGISTERS, shown.first, shown[name as Boot])]),
      );
    // 1: the entries; 4: what the firmware started; 7: db and dbx; 11: the parts of the UKI
    const everywhere = Object.fromEntries(Object.keys(started(open)).map((name) => [name, [1, 4, 7, 11]]));
    expect(started(open)).toEqual(everywhere);
    expect(started(secure)).toEqual({
      "acpi-table": [1, 4, 11],
      "entry-of-other-uki": [1, 4],
      "entry-of-signed-uki": [1, 4, 11],
    });
  });
});
