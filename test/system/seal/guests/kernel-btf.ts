import { openKernel } from "../../../../src/cli/kernel/kernel-file.js";
import { hash } from "../../../../src/trust/base/digest.js";
import type { SealGuest } from "./seal-guest.js";
import type { SealKernel } from "./seal-kernels.js";

const digests = new Map<SealKernel, Promise<string>>();

/** SHA-256 of the BTF of a guest's kernel. */
export function kernelBtfOf({ kernel }: SealGuest): Promise<string> {
  const known = digests.get(kernel.name) ?? openKernel(kernel.image).then(({ btf }) => hash("sha256", btf));
  digests.set(kernel.name, known);
  return known;
}
