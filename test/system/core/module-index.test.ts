/** Whether kmod finds the same modules for names and aliases, in the modules of one of Debian's kernels. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { moduleName, modulesOfFiles } from "../../../src/cli/kernel/modules/module-alias.js";
import { MODULE_SETS } from "../../../src/cli/kernel/modules/module-sets.js";
import { ModuleTree } from "../../../src/cli/kernel/modules/module-tree.js";
import { type Kernel, kernelOfSuite } from "../guest/kernel.js";
import { amount } from "../nightly.js";
import { keep } from "./debian-archive.js";

interface Indexed {
  readonly tree: ModuleTree;
  readonly root: string;
}

let known: Indexed | string | undefined;

/** A root directory in which depmod(8) has been run; or the reason why there is none. */
function indexed(): Indexed | string {
  known ??= makeIndexed();
  return known;
}

function makeIndexed(): Indexed | string {
  if (spawnSync("depmod", ["--version"]).status !== 0) return "needs depmod (package kmod)";
  const kernel = kernelOfSuite("6.12");
  if (typeof kernel === "string") return kernel;
  const modules = folderOfModules(kernel);
  const [release] = readdirSync(modules);
  const { folder: root } = keep(`depmod_${release}`, (to) => {
    const own = join(to, "lib/modules", release!);
    mkdirSync(own, { recursive: true });
    for (const name of readdirSync(join(modules, release!)))
      symlinkSync(join(modules, release!, name), join(own, name));
    execFileSync("depmod", ["-b", to, release!]);
  });
  return { root, tree: new ModuleTree(root, release!) };
}

function folderOfModules({ folder }: Kernel): string {
  return ["usr/lib/modules", "lib/modules"].map((name) => join(folder, name)).find((path) => existsSync(path))!;
}

/** What modprobe(8) prints, without configuration. It can fail for names or aliases that it does not know. */
function modprobe({ root, tree }: Indexed, ...words: readonly string[]): readonly string[] {
  const common = ["-d", root, "-S", tree.release, "-C", "/dev/null"];
  const { stdout } = spawnSync("modprobe", [...common, ...words], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}

/** About `count` elements, evenly spaced. */
const some = <Value>(values: readonly Value[], count: number): readonly Value[] => {
  const step = Math.max(1, Math.floor(values.length / count));
  return values.filter((_, index) => index % step === 0);
};

describe("the modules of a kernel", () => {
  it("have the dependencies that modprobe loads", ({ skip }) => {
    const found = indexed();
    if (typeof found === "string") return skip(found);
    const { index } = found.tree;
    expect(index.names.length).toBeGreaterThan(3000);
    for (const name of [...some(index.names, amount(100, 5000)), "btrfs", "ext4", "cifs"]) {
      const loaded = modulesOfFiles(modprobe(found, "--show-depends", name).map((line) => line.split(" ")[1]!));
      expect(loaded, name).toContain(name);
      expect([name, ...index.loadedWith(name)], name).toEqual(expect.arrayContaining([...loaded]));
    }
  });

  it("are found by the alias of a device, or of what else asks for them", ({ skip }) => {
    const found = indexed();
    if (typeof found === "string") return skip(found);
    const lines = readFileSync(join(found.tree.folder, "modules.alias"), "utf8").split("\n");
    const patterns = lines.filter((line) => line.startsWith("alias ")).map((line) => line.split(" ")[1]!);
    expect(patterns.length).toBeGreaterThan(10_000);
    const aliases = patterns.map((pattern) => {
      const bracket = pattern.replaceAll(/\[(.)[^\]]*\]/g, "$1");
      return bracket.replaceAll("*", "00").replaceAll("?", "1");
    });
    const wanted = [
      ...some(aliases, amount(100, 5000)),
      "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00",
      "nothing:x",
    ];
    for (const alias of wanted) {
      const resolved = new Set(modprobe(found, "--resolve-alias", alias).map(moduleName));
      // An alias that is the name of a module is resolved as a name
      const own = found.tree.index.pathOf(alias) === null ? found.tree.index.matching(alias) : [moduleName(alias)];
      expect(new Set(own), alias).toEqual(resolved);
    }
  });

  it("are in the named sets: each folder has some, and each name is a module or built in", ({ skip }) => {
    const found = indexed();
    if (typeof found === "string") return skip(found);
    const { index } = found.tree;
    for (const { folders, modules } of MODULE_SETS) {
      for (const folder of folders) expect(index.below([folder]), folder).not.toEqual([]);
      for (const name of modules) expect(index.pathOf(name) !== null || index.isBuiltIn(name), name).toBe(true);
    }
  });

  it("have their files where the index says", ({ skip }) => {
    const found = indexed();
    if (typeof found === "string") return skip(found);
    for (const name of found.tree.index.names) {
      const file = found.tree.fileOf(name)!;
      expect(existsSync(file) && dirname(file).startsWith(found.tree.folder), file).toBe(true);
    }
  });
});
