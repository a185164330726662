import { Guest } from "../../guest/guest.js";
import { type GuestKernel, type SealKernel, sealKernel } from "./seal-kernels.js";

/** A small guest: one of Debian's cloud kernels. */
export class SealGuest extends Guest<GuestKernel> {
  /** A guest to be filled, or the reason why there can be none on this machine. */
  static make(name: SealKernel): SealGuest | string {
    const missing = Guest.missing();
    if (missing !== null) return missing;
    const kernel = sealKernel(name);
    return typeof kernel === "string" ? kernel : new SealGuest(kernel);
  }
}
