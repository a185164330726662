/**
 * What kernels of several releases say of their own BPF interface: scripts/kernel-facts.gen.json, which
 * scripts/kernel-facts.mjs makes.
 */
import { readFileSync } from "node:fs";

/** A text, and the releases in which it is so. */
type ByRelease = Readonly<Record<string, readonly string[]>>;

export interface KernelFacts {
  readonly kernels: Readonly<Record<string, readonly string[]>>;
  /** `value=name …` by the enumeration's name. */
  readonly enums: Readonly<Record<string, { readonly values: ByRelease }>>;
  /** `field offset size, …` by the struct's name. */
  readonly structs: Readonly<Record<string, { readonly layouts: ByRelease }>>;
  /** `RET_… (ARG_…, …)` of every program type. */
  readonly helpers: Readonly<Record<string, HelperFacts>>;
  readonly kfuncs: Readonly<Record<string, { readonly protos?: ByRelease; readonly flags?: ByRelease }>>;
}

export interface HelperFacts {
  readonly protos: ByRelease;
  readonly gpl_only: ByRelease;
  readonly changes_packet?: ByRelease;
}

export const KERNEL_FACTS = JSON.parse(
  readFileSync(new URL("../../scripts/kernel-facts.gen.json", import.meta.url), "utf8"),
) as KernelFacts;
