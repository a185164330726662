/** The loaders whose relocation is implemented. Changing the list changes the relocator's version. */
export const VARIANTS = ["libbpf-1.5", "libbpf-1.6", "cilium"] as const;

export type Variant = (typeof VARIANTS)[number];

/**
 * Stands for all versions of libbpf that relocate in the same way: `libbpf-1.5` for 1.4 too, and `libbpf-1.6` for 1.7.
 * Tests compare with 1.4.6, 1.5.0 and 1.7.0.
 */
export type LibbpfVariant = Exclude<Variant, "cilium">;
