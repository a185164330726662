import { readFileSync } from "node:fs";
import { ATTACK_MODULES } from "../../../../src/seal/attacks/attack-modules.js";
import { type AttackResult, attackResults } from "../../../../src/seal/attacks/attack-results.js";
import { type ImageOptions, imageOf } from "../../../../src/seal/image/image.js";
import { GUARD_VERSION } from "../../../../src/seal/list/list-header.js";
import { SEAL_INIT, sealFragment } from "../../../../src/seal/sealing.js";
import { MODE } from "../../../../src/seal/status/status-layout.js";
import { DMA_DEVICE } from "../../../../src/seal/virtual-machine/machine-start.js";
import { own } from "../../../support/workplace.js";
import { ProgramSigner } from "./program-signer.js";
import { SealGuest } from "./seal-guest.js";
import type { SealKernel } from "./seal-kernels.js";
import { loaderBinary } from "./sealed-guest.js";

export type AttackResults = ReadonlyMap<string, AttackResult>;

/**
 * The machines on which all attacks are run: without a guard; with one that audits; sealed by the initramfs; and sealed
 * late, after attackers have loaded programs and attached one to a cgroup.
 */
export const MACHINES = ["unguarded", "audit", "boot", "late"] as const;
export type Machine = (typeof MACHINES)[number];

const SCRIPTS: Readonly<Record<Machine, string>> = {
  unguarded: "",
  audit: "attacks -a & loader --agent $! /lib/audit.image",
  boot: "",
  late: "attacks prepare; attacks -a & loader --agent $! /lib/guard.image",
};

/**
 * Attacks after which, if they succeed, the guard has no links any more: each gets a machine that audits for itself.
 */
export const UNMOUNTING = [
  ...["move-mount", "move-pins-by-fd", "unmount-peer", "unmount-peer-above", "unmount-pins", "unmount-above"],
  ...["unmount-bind", "remove-mount-point", "rename-over-mount-point"],
];

/** Boots a machine and runs attacks, or returns the reason why it cannot. Throws if a guest does not end. */
export function runAttacks(kernel: SealKernel, machine: Machine, names: readonly string[]): AttackResults | string {
  const alone = machine === "audit" ? names.filter((name) => UNMOUNTING.includes(name)) : [];
  const together = names.filter((name) => !alone.includes(name));
  const results = new Map<string, AttackResult>();
  for (const each of [together, ...alone.map((name) => [name])]) {
    if (each.length === 0) continue;
    const found = runIn(kernel, machine, `attacks ${each.join(" ")}`);
    if (typeof found === "string") return found;
    for (const [name, result] of found) results.set(name, result);
  }
  return results;
}

function runIn(kernel: SealKernel, machine: Machine, attacks: string): AttackResults | string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  try {
    guest.file("bin/attacks", readFileSync(own("src/seal/attacks/attacks.bin")), 0o755);
    guest.file("bin/loader", loaderBinary(), 0o755);
    guest.file("lib/vmlinuz", readFileSync(guest.kernel.image));
    for (const [name, bytes] of guest.kernel.modules(ATTACK_MODULES)) guest.file(`lib/${name}.ko`, bytes);
    const keys = { programs: [ProgramSigner.make().certificate] };
    guest.file("lib/guard.image", imageIn("enforce", keys));
    guest.file("lib/audit.image", imageIn("audit", keys));
    const boot = machine === "boot";
    const { status, output, console } = guest.run(
      `${SCRIPTS[machine]}
${attacks}
`,
      {
        fragments: boot ? [sealFragment({ mode: "enforce", list: null, keys }, "halt")] : [],
        commandLine: boot ? `rdinit=${SEAL_INIT}` : "",
        seconds: 850,
        memory: 1024,
        devices: DMA_DEVICE,
      },
    );
    if (status === null) throw new Error(`the guest did not come to its end:\n${console.slice(-3000)}`);
    return attackResults(output);
  } finally {
    guest.remove();
  }
}

function imageIn(mode: "enforce" | "audit", keys: NonNullable<ImageOptions["keys"]>): Uint8Array {
  const object = readFileSync(own("src/seal/guard/guard.bpf.o"));
  return imageOf(object, { mode: MODE[mode], guardVersion: GUARD_VERSION, onFailure: "halt", keys });
}
