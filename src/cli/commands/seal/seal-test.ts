import { readFileSync } from "node:fs";
import { Command } from "commander";
import { attackKernel, isStopped, type TestedAttack } from "../../../seal/attack-test.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson } from "../../output/output.js";
import { table } from "../../output/table.js";

/** `countersign seal test`: whether the guard holds against root on a kernel. */
export function testCommand(): Command {
  return new Command("test")
    .description("Attacks the guard as root, in a guest with this machine's kernel or another one")
    .option("--kernel <file>", "a vmlinuz (default: that of the running kernel in /boot)")
    .option("--modules <folder>", "the modules of that kernel, such as /lib/modules/RELEASE")
    .option(
      "--firmware <file>",
      "UEFI firmware that starts the guests, as OVMF.fd of Debian's package ovmf (default: BIOS)",
    )
    .option("--json", "one JSON object an attack")
    .addHelpText(
      "after",
      `
Boots two guests under qemu, one without a guard and one that its initramfs seals with an empty list, and runs each
attack in both. Nothing is attached on this machine. Needs qemu-system-x86_64 and a static busybox.

Attacks with modules and devices of a generic kernel need --modules, and one needs --firmware.

An attack is held if it did not reach what it wanted, and broken if it did. One that does not succeed without a guard
either proves nothing, and one is skipped if the guest lacks something. Exits with 1 if an attack that the guard should
stop succeeded.

Examples:
  countersign seal test
  countersign seal test --kernel /boot/vmlinuz-6.12.117+deb13-cloud-amd64 --json
  countersign seal test --firmware /usr/share/ovmf/OVMF.fd`,
    )
    .action(test);
}

interface Options {
  readonly kernel?: string;
  readonly modules?: string;
  readonly firmware?: string;
  readonly json?: true;
}

function test({ kernel = ownKernel(), modules, firmware, json }: Options): void {
  const tested = attackKernel({ kernel, modules: modules ?? null, firmware: firmware ?? null });
  if (json === true) tested.map(jsonOf).forEach(printJson);
  else print(table(["attack", "without a guard", "sealed", "what root does"], tested.map(cells)));
  if (tested.some(isFailure)) process.exitCode = EXIT.denied;
}

const ownKernel = () => `/boot/vmlinuz-${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}`;

/** Whether an attack succeeded that the guard, or the permissions of its keyring, should stop. */
const isFailure = ({ attack, sealed }: TestedAttack) => isStopped(attack) && sealed.outcome === "broken";

function cells({ attack, unguarded, sealed }: TestedAttack): readonly string[] {
  const end = sealed.outcome === "broken" ? `broken: ${sealed.text}` : `${sealed.outcome}: ${sealed.text}`;
  return [attack.name, unguarded.outcome, isStopped(attack) ? end : `${end} (a limit of the guard)`, attack.does];
}

function jsonOf({ attack, unguarded, sealed }: TestedAttack) {
  return { attack: attack.name, does: attack.does, hook: attack.hook, unguarded, sealed };
}
