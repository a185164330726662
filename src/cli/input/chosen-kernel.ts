import type { Variant } from "../../bpf/core/variant.js";
import type { Relocator } from "../../bpf/object.js";
import type { CacheFolder } from "../../cache-folder.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { openCache } from "./cache-option.js";
import { type KernelOptions, openTarget } from "./kernel-options.js";

/** The kernel of `--btf`, with the loader that relocates programs for it. */
export class ChosenKernel {
  private constructor(
    readonly target: TargetKernel,
    private readonly variant: Variant,
    private readonly cache: CacheFolder | null,
  ) {}

  /** Null without `--btf`. Throws what TargetKernel.open throws. */
  static async open(options: KernelOptions): Promise<ChosenKernel | null> {
    if (options.btf === undefined) return null;
    const cache = openCache(options);
    return new ChosenKernel(await openTarget(options.btf, options, cache), options.variant, cache);
  }

  /** To be called within `target.use`, which reads what it needs of the kernel. */
  relocator(): Relocator {
    return this.target.relocations(this.variant).relocate;
  }

  /** Keeps the results for later runs. */
  save(): void {
    this.cache?.save();
  }
}
