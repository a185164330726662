/**
 * ACPI tables of root: in the initramfs of the next boot, and at run time. The code of a table runs in the kernel.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { ACPI_STATUS, acpiFragment } from "./guests/acpi-table.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const LISTED = 1;
const UNLISTED = 2;

/** Reads the status of the device twice: its code has then changed memory twice, under the guard if there is one. */
const SCRIPT = `
load-value ${LISTED} ${UNLISTED}
for each in 1 2; do echo "status: $(cat ${ACPI_STATUS} 2>/dev/null || echo none)"; done
echo "lockdown: $(grep -o '\\[.*\\]' /sys/kernel/security/lockdown)"
echo "interfaces: $(ls -d /sys/kernel/config/acpi /sys/kernel/debug/acpi/custom_method 2>/dev/null)"
`;

/** What each boot has before the initramfs, and on the command line. */
const BOOTS = {
  "no table": { table: false, sealed: true, commandLine: "" },
  "table, not sealed": { table: true, sealed: false, commandLine: "" },
  "table in the initramfs": { table: true, sealed: true, commandLine: "" },
  "table in the initramfs, under lockdown": { table: true, sealed: true, commandLine: "lockdown=integrity" },
} as const;
type Boot = keyof typeof BOOTS;

interface Shown {
  readonly loads: readonly string[];
  /** How much the code of the table added to memory between two reads; null if there is no such table. */
  readonly added: number | null;
  readonly lockdown: string;
  readonly interfaces: string;
}

function boot(kernel: SealKernel, name: Boot): Shown | string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const { table, sealed, commandLine } = BOOTS[name];
  guest.file("bin/load-value", compileProgram("load-value"), 0o755);
  const seal = sealFragment({ mode: "enforce", list: listOfValues([LISTED]) }, "halt");
  const { output, status, console } = guest.run(SCRIPT, {
    fragments: [...(table ? [acpiFragment()] : []), ...(sealed ? [seal] : [])],
    commandLine: [commandLine, ...(sealed ? [`rdinit=${SEAL_INIT}`] : [])].join(" "),
  });
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  const [first, second] = [...output.matchAll(/^status: (\d+)$/gm)].map(([, value]) => Number(value));
  return {
    loads: [...output.matchAll(/^program \d+: (.*)$/gm)].map(([, result]) => result!),
    added: first === undefined || second === undefined ? null : (second - first) >>> 0,
    lockdown: /^lockdown: \[(.*)\]$/m.exec(output)![1]!,
    interfaces: /^interfaces: ?(.*)$/m.exec(output)![1]!,
  };
}

/** The options of a kernel that is kept for guests; null for those of 7.x, whose package has no `config-*`. */
function optionsOf(image: string): string | null {
  const folder = dirname(image);
  const name = readdirSync(folder).find((file) => file.startsWith("config-"));
  return name === undefined ? null : readFileSync(join(folder, name), "utf8");
}

describe.each(testedKernels())("ACPI tables on %s", (kernel) => {
  let shown: Partial<Record<Boot, Shown>> | string = {};

  beforeAll(() => {
    for (const name of Object.keys(BOOTS) as Boot[]) {
      const found = boot(kernel, name);
      if (typeof found === "string") {
        shown = found;
        return;
      }
      shown = { ...(shown as object), [name]: found };
    }
  });

  const SEALED = ["loaded", "EPERM"];

  it("of the initramfs are taken, and their code writes memory under the guard", ({ skip }) => {
    if (typeof shown === "string") return skip(shown);
    expect(shown["table, not sealed"]).toMatchObject({ loads: ["loaded", "loaded"], added: 0x100 });
    expect(shown["table in the initramfs"]).toMatchObject({ loads: SEALED, added: 0x100 });
    expect(shown["no table"]).toMatchObject({ loads: SEALED, added: null });
  });

  // since 6.12 the kernel has its early LSMs only after setup_arch(), where acpi_table_upgrade() asks locked_down
  it("of the initramfs are taken under lockdown=integrity, too", ({ skip }) => {
    if (typeof shown === "string") return skip(shown);
    const locked = { loads: SEALED, added: 0x100, lockdown: "integrity" };
    expect(shown["table in the initramfs, under lockdown"]).toMatchObject(locked);
  });

  it("cannot be given to the running kernel: it is built without the interfaces for it", ({ skip }) => {
    if (typeof shown === "string") return skip(shown);
    for (const { interfaces } of Object.values(shown)) expect(interfaces).toBe("");
    const guest = SealGuest.make(kernel) as SealGuest;
    const options = optionsOf(guest.kernel.image);
    guest.remove();
    if (options === null) return skip("needs the kernel's options beside its image");
    expect(options).toContain("CONFIG_ACPI_TABLE_UPGRADE=y\n");
    expect(options).not.toMatch(/^CONFIG_ACPI_(?:CONFIGFS|CUSTOM_METHOD|DEBUGGER)=/m);
  });
});
