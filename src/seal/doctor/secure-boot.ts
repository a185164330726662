import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The variable of UEFI 2.10, section 3.3: four bytes of attributes, then 1 if Secure Boot is enforced. */
const VARIABLE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/** `no EFI`: the machine did not boot by EFI, or its variables cannot be read. */
export type SecureBoot = "on" | "off" | "no EFI";

/** Whether the firmware checked what it started. `root` is where / is, for tests. */
export function secureBoot(root = "/"): SecureBoot {
  try {
    return readFileSync(join(root, VARIABLE))[4] === 1 ? "on" : "off";
  } catch {
    return "no EFI";
  }
}

/** What a seal is worth across boots. */
export function acrossBoots(state: SecureBoot): string {
  return state === "on"
    ? "Secure Boot is on: the next boot is sealed too, if the initramfs is in a signed kernel image (UKI), and the " +
        "firmware's keys have signed nothing that starts without a seal, such as shim"
    : `Secure Boot is off${state === "no EFI" ? " (no EFI)" : ""}: ` +
        "root cannot undo the seal within this boot, but decides what starts at the next one";
}
