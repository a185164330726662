/** `seal test`: root's attacks, in a guest. */
import { existsSync, readFileSync } from "node:fs";
import { installed } from "../installed.js";
import { type AttackResult, attackResults } from "./attacks/attack-results.js";
import { ATTACKS, type Attack } from "./attacks/attacks.js";
import { SEAL_INIT } from "./initramfs/fragment.js";
import { sealFragment } from "./sealing.js";
import { runVirtualMachine } from "./virtual-machine/virtual-machine.js";

export { isStopped } from "./attacks/attacks.js";

/** One attack, without a guard and on a machine that its initramfs has sealed. */
export interface TestedAttack {
  readonly attack: Attack;
  readonly unguarded: AttackResult;
  readonly sealed: AttackResult;
}

const SECONDS = 900;

/** Attacks a kernel in two guests. `kernel` is its file, a vmlinuz. Throws SEAL_NO_GUEST. */
export function attackKernel(kernel: string): readonly TestedAttack[] {
  const unguarded = attack(kernel, [], "");
  const fragment = sealFragment({ mode: "enforce", list: null }, "halt");
  const sealed = attack(kernel, [fragment], `rdinit=${SEAL_INIT}`);
  return ATTACKS.flatMap((attack) => {
    const [without, against] = [unguarded.get(attack.name), sealed.get(attack.name)];
    return without === undefined || against === undefined ? [] : [{ attack, unguarded: without, sealed: against }];
  });
}

function attack(kernel: string, fragments: readonly Uint8Array[], commandLine: string) {
  const program = installed("bundle:seal/attacks.bin").bytes;
  const files = [
    { path: "bin/attacks", permissions: 0o755, contents: program },
    ...(existsSync(kernel) ? [{ path: "lib/vmlinuz", permissions: 0o644, contents: readFileSync(kernel) }] : []),
  ];
  return attackResults(
    runVirtualMachine({ kernel, files, script: "attacks\n", fragments, commandLine, seconds: SECONDS }),
  );
}
