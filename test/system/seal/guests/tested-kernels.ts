import { SEAL_KERNELS, type SealKernel } from "./seal-kernels.js";

/** Kernels that are attacked: those on which a guard can be sealed. Linux has the hook bpf_prog_load since 6.9. */
export const ATTACKED: readonly SealKernel[] = (Object.keys(SEAL_KERNELS) as SealKernel[]).filter(
  (name) => name !== "6.1",
);

/** The cloud flavours of them: for BPF the generic one has the same options, and takes longer to boot. */
export const SEALABLE = ATTACKED.filter((name) => !name.endsWith("-generic"));

/**
 * The kernels that tests of the seal boot: one, since a guest takes 10 seconds and more; `all` in nightly runs; or the
 * one that COUNTERSIGN_KERNEL names.
 */
export function testedKernels(
  all = process.env.COUNTERSIGN_NIGHTLY !== undefined,
  kernels: readonly SealKernel[] = SEALABLE,
): readonly SealKernel[] {
  const named = process.env.COUNTERSIGN_KERNEL;
  if (named !== undefined) return kernels.filter((name) => name === named);
  return all ? kernels : ["6.12"];
}
