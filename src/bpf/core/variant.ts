/** The loaders whose relocation is implemented. Changing the list changes the relocator's version. */
export const VARIANTS = ["libbpf-1.5", "libbpf-1.6", "cilium"] as const;

export type Variant = (typeof VARIANTS)[number];

/** Stands for all versions of libbpf that relocate in the same way: 1.5 also for earlier ones, 1.6 for later ones. */
export type LibbpfVariant = Exclude<Variant, "cilium">;
