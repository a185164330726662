import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openKernel } from "../../../src/cli/kernel/kernel-file.js";
import { amount } from "../nightly.js";
import { type DebianKernel, debianKernel, packagesOf } from "./debian-kernels.js";

/**
 * Kernels whose images are compressed by zstd and, in the long form, by xz. From Linux 7 on, the modules are in another
 * package.
 */
const KERNELS: readonly (readonly [DebianKernel, string])[] = [
  ["7.2", "binary"],
  ["6.1", "image"],
];

/** Reading all of a package to find modules takes a minute: in the long form. */
const MODULES = ["ext4", "kvm", "nf_tables"].slice(0, amount(0, 3));

describe.each(KERNELS.slice(0, amount(1, 2)))("Debian's package of kernel %s", (name, part) => {
  it("has the BTF, release and modules that other tools unpack", async (context) => {
    const packages = packagesOf(name);
    const unpacked = debianKernel(name);
    if (typeof packages === "string" || typeof unpacked === "string")
      return context.skip(typeof packages === "string" ? packages : String(unpacked));
    const kernel = await openKernel(packages.get(part)!);
    const btfOf = (module: string) => readFileSync(join(unpacked.folder, "btf", module));
    expect(btfOf("vmlinux").equals(Buffer.from(kernel.btf))).toBe(true);
    expect(kernel.release).toBe(readFileSync(join(unpacked.folder, "release"), "utf8").trim());
    if (MODULES.length === 0) return;
    const modules = await kernel.readModules!({ wants: (module) => MODULES.includes(module), step() {} });
    expect(modules.map((module) => module.name)).toEqual(MODULES);
    for (const { name: module, btf } of modules) expect(btfOf(module).equals(Buffer.from(btf)), module).toBe(true);
  });
});
