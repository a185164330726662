/** `seal test`: root's attacks, in a guest. */
import { existsSync, readFileSync } from "node:fs";
import { CountersignError } from "../error.js";
import { installed } from "../installed.js";
import type { Attack } from "./attacks/attack.js";
import { attackModules } from "./attacks/attack-modules.js";
import { type AttackResult, attackResults } from "./attacks/attack-results.js";
import { ATTACKS } from "./attacks/attacks.js";
import type { CpioEntry } from "./initramfs/cpio.js";
import { SEAL_INIT } from "./initramfs/fragment.js";
import { sealFragment } from "./sealing.js";
import { runVirtualMachine } from "./virtual-machine/virtual-machine.js";

export { isStopped } from "./attacks/attack.js";

/** One attack, without a guard and on a machine that its initramfs has sealed. */
export interface TestedAttack {
  readonly attack: Attack;
  readonly unguarded: AttackResult;
  readonly sealed: AttackResult;
}

/** What is attacked. */
export interface AttackedMachine {
  /** The file of the kernel: a vmlinuz. */
  readonly kernel: string;
  /** The file of UEFI firmware, or null: the guest then has a BIOS. */
  readonly firmware: string | null;
  /** The folder with the kernel's modules, or null: attacks that need one are then skipped. */
  readonly modules: string | null;
}

const SECONDS = 900;

/** Attacks a kernel in two guests. Throws SEAL_NO_GUEST; NOTHING_FOUND if no attack needs a module of the folder. */
export function attackKernel(machine: AttackedMachine): readonly TestedAttack[] {
  const files = filesOf(machine);
  const unguarded = attack(machine, files, [], "");
  const fragment = sealFragment({ mode: "enforce", list: null }, "halt");
  const sealed = attack(machine, files, [fragment], `rdinit=${SEAL_INIT}`);
  return ATTACKS.flatMap((attack) => {
    const [without, against] = [unguarded.get(attack.name), sealed.get(attack.name)];
    return without === undefined || against === undefined ? [] : [{ attack, unguarded: without, sealed: against }];
  });
}

function filesOf({ kernel, modules: folder }: AttackedMachine): readonly CpioEntry[] {
  const modules = attackModules(folder);
  if (folder !== null && modules.size === 0) {
    throw new CountersignError("NOTHING_FOUND", "there is no kernel module in this folder that an attack needs", {
      place: folder,
      remedy: "name the folder of the kernel's modules, such as /lib/modules/RELEASE",
    });
  }
  const file = (path: string, permissions: number, contents: Uint8Array) => ({ path, permissions, contents });
  return [
    file("bin/attacks", 0o755, installed("bundle:seal/attacks.bin").bytes),
    ...(existsSync(kernel) ? [file("lib/vmlinuz", 0o644, readFileSync(kernel))] : []),
    ...[...modules].map(([name, bytes]) => file(`lib/${name}.ko`, 0o644, bytes)),
  ];
}

function attack(
  { kernel, firmware }: AttackedMachine,
  files: readonly CpioEntry[],
  fragments: readonly Uint8Array[],
  commandLine: string,
) {
  const options = { kernel, firmware, files, script: "attacks\n", fragments, commandLine, seconds: SECONDS };
  return attackResults(runVirtualMachine(options));
}
