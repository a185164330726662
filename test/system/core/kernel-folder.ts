import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release, version } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** What a loader learns of a kernel. fake-kernel.c reads it from a folder. */
export interface KernelDescription {
  /** As in uname(2). */
  readonly release: string;
  readonly version: string;
  readonly config: Uint8Array;
  readonly kallsyms: string | Uint8Array;
  readonly vmlinux: Uint8Array;
  /** In the order of their BTF ids. */
  readonly modules: readonly { readonly name: string; readonly btf: Uint8Array }[];
}

export function writeKernelFolder(folder: string, kernel: KernelDescription): void {
  mkdirSync(join(folder, "btf"), { recursive: true });
  writeFileSync(join(folder, "release"), kernel.release);
  writeFileSync(join(folder, "version"), kernel.version);
  writeFileSync(join(folder, "config"), kernel.config);
  writeFileSync(join(folder, "kallsyms"), kernel.kallsyms);
  writeFileSync(join(folder, "btf", "vmlinux"), kernel.vmlinux);
  writeFileSync(join(folder, "modules"), kernel.modules.map(({ name }) => `${name}\n`).join(""));
  for (const { name, btf } of kernel.modules) writeFileSync(join(folder, "btf", name), btf);
}

export function readKernelFolder(folder: string): KernelDescription {
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  return {
    release: text("release"),
    version: text("version"),
    config: readFileSync(join(folder, "config")),
    kallsyms: text("kallsyms"),
    vmlinux: readFileSync(join(folder, "btf", "vmlinux")),
    modules: text("modules")
      .split("\n")
      .filter((name) => name !== "")
      .map((name) => ({ name, btf: readFileSync(join(folder, "btf", name)) })),
  };
}

const BTF = "/sys/kernel/btf";

/**
 * The running kernel; or why it cannot be described. Modules are in alphabetical order, since their BTF ids are known
 * only to bpf(2).
 */
export function runningKernel(): KernelDescription | string {
  if (!existsSync(join(BTF, "vmlinux"))) return `needs a kernel with ${BTF}/vmlinux`;
  const config = `/boot/config-${release()}`;
  const compressed = "/proc/config.gz";
  if (!existsSync(config) && !existsSync(compressed)) return `needs ${config} or ${compressed}`;
  const modules = readdirSync(BTF).filter((name) => name !== "vmlinux");
  return {
    release: release(),
    version: version(),
    config: existsSync(config) ? readFileSync(config) : gunzipSync(readFileSync(compressed)),
    kallsyms: readFileSync("/proc/kallsyms"),
    vmlinux: readFileSync(join(BTF, "vmlinux")),
    modules: modules.sort().map((name) => ({ name, btf: readFileSync(join(BTF, name)) })),
  };
}
