import { SEAL_KERNELS, type SealKernel } from "./seal-kernels.js";

/** Kernels on which a guard can be sealed: Linux has the hook bpf_prog_load since 6.9. */
export const SEALABLE: readonly SealKernel[] = (Object.keys(SEAL_KERNELS) as SealKernel[]).filter(
  (name) => name !== "6.1",
);

/**
 * The kernels that tests of the seal boot: one, since a guest takes 10 seconds and more; `all` in nightly runs; or the
 * one that COUNTERSIGN_KERNEL names.
 */
export function testedKernels(all = process.env.COUNTERSIGN_NIGHTLY !== undefined): readonly SealKernel[] {
  const named = process.env.COUNTERSIGN_KERNEL;
  if (named !== undefined) return SEALABLE.filter((name) => name === named);
  return all ? SEALABLE : ["6.12"];
}
