import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { VARIANTS, type Variant } from "../../bpf/core/variant.js";
import type { CacheFolder } from "../../cache-folder.js";
import { CountersignError } from "../../error.js";
import { RUNNING_KERNEL } from "../kernel/modules/btf-folder.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { counter } from "../output/progress.js";
import { type CacheOption, noCacheOption } from "./cache-option.js";

/** Options that say for which kernel, and for which loader, programs are resolved. */
export interface KernelOptions extends CacheOption {
  readonly btf?: string;
  readonly kallsyms?: string;
  readonly modules?: ReadonlySet<string>;
  readonly variant: Variant;
}

/** The loader of Debian 13's tools. */
export const DEFAULT_VARIANT: Variant = "libbpf-1.5";

export function kallsymsOption(): Option {
  return new Option("--kallsyms <file>", "a copy of /proc/kallsyms of this boot, for kernel symbols without a type");
}

/** `flag`: another name for commands whose `--modules` is something else. */
export function modulesOption(flag = "--modules"): Option {
  return new Option(
    `${flag} <names>`,
    "names of the loaded modules, separated by commas, or `none` (default: all)",
  ).argParser((names) => new Set(names === "none" ? [] : names.split(",").map((name) => name.replaceAll("-", "_"))));
}

function variantOption(): Option {
  return new Option("--variant <loader>", "the loader's library").choices(VARIANTS).default(DEFAULT_VARIANT);
}

/** Adds the options of a command that resolves for one kernel. */
export function withKernelOptions(command: Command, btf: string): Command {
  return command
    .option("--btf <file>", btf)
    .addOption(modulesOption())
    .addOption(kallsymsOption())
    .addOption(variantOption())
    .addOption(noCacheOption());
}

/** Opens a kernel, and shows on a terminal that its modules are read. Throws what TargetKernel.open throws. */
export async function openTarget(
  path: string,
  { kallsyms, modules }: { readonly kallsyms?: string; readonly modules?: ReadonlySet<string> | undefined },
  cache: CacheFolder | null,
): Promise<TargetKernel> {
  // Most commands do without a kernel, and need not load what reads it.
  const { TargetKernel } = await import("../kernel/target-kernel.js");
  return TargetKernel.open(path, { kallsyms, modules, cache, progress: (kernel) => counter(`modules of ${kernel}`) });
}

/** Throws USAGE if there are options about a kernel, and no kernel. */
export function requireKernel({ btf, kallsyms, modules }: KernelOptions): void {
  const given = kallsyms !== undefined ? "--kallsyms" : modules !== undefined ? "--modules" : null;
  if (btf === undefined && given !== null)
    throw new CountersignError("USAGE", `${given} is about a kernel, and none is named`, {
      remedy: "name the kernel with --btf",
    });
}

/** The kernel that is named, or the running one. Throws USAGE if that has no BTF. */
export function kernelPath({ btf }: Pick<KernelOptions, "btf">): string {
  if (btf !== undefined) return btf;
  if (existsSync(RUNNING_KERNEL)) return RUNNING_KERNEL;
  throw new CountersignError("USAGE", "the running kernel has no BTF", { remedy: "name a kernel with --btf" });
}

/** What help says about the files that --btf takes. */
export const KERNEL_FILES = `\
A kernel is BTF (/sys/kernel/btf/vmlinux, with the modules beside it), a vmlinux, a vmlinuz of x86,
or the Debian package with one of them: linux-image-RELEASE, or from Linux 7 on linux-binary-RELEASE, with
linux-modules-RELEASE beside it.`;
