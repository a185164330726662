import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import type { Variant } from "../../../../src/bpf/core/variant.js";
import * as resolved from "../../../../src/bpf/resolved-object.js";
import { CacheFolder } from "../../../../src/cache-folder.js";
import * as files from "../../../../src/cli/kernel/kernel-file.js";
import * as packages from "../../../../src/cli/kernel/package/packaged-modules.js";
import { type KernelChoices, TargetKernel } from "../../../../src/cli/kernel/target-kernel.js";
import { example } from "../../../support/examples.js";
import { gzippedImage, kernelElf, packageOf } from "../../../support/kernel-files.js";
import { switchKernel, switchModule } from "../../../support/switch-kernel.js";
import { own } from "../../../support/workplace.js";

vi.mock("../../../../src/bpf/resolved-object.js", { spy: true });
vi.mock("../../../../src/cli/kernel/kernel-file.js", { spy: true });
vi.mock("../../../../src/cli/kernel/package/packaged-modules.js", { spy: true });

/** Its last program refers to a symbol without a type; others to a field, an enumerator, a kfunc and a variable. */
const GUARDED = readFileSync(own("test/unit/bpf/fixtures/guarded.o"));
const WATCH = example("switch-watch");

const windows = process.geteuid === undefined;

/** What a result can depend on; the BTF of the kernel by its path. */
interface Inputs {
  readonly code: string;
  readonly object: Uint8Array;
  readonly variant: Variant;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly path: string;
  readonly modules: readonly string[] | null;
  readonly kallsyms: string | null;
}

describe.skipIf(windows)("what a run has resolved (Windows has no owner of a file that node knows)", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  const [vmlinux, bare] = [switchKernel({ at: 32 }), switchKernel({ target: false })];
  const module = switchModule(bare);
  const otherModule = (() => {
    const writer = new BtfWriter("little", bare);
    writer.int("other", 4);
    writer.typedef("btf_trace_sched_switch", writer.ptr(writer.proto(0, [])));
    return writer.bytes();
  })();
  const packaged = (modules: Readonly<Record<string, Uint8Array>>) =>
    packageOf({
      "boot/vmlinuz-6.12.1": gzippedImage(kernelElf(bare.bytes())),
      ...Object.fromEntries(
        Object.entries(modules).map(([name, btf]) => [`lib/modules/6.12.1/kernel/${name}.ko`, kernelElf(btf)]),
      ),
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-target-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A run: what it found, and what of it was work. */
  async function run(inputs: Inputs, cached = true) {
    const { code, object, variant, path, modules, kallsyms } = inputs;
    for (const [name, bytes] of Object.entries(inputs.files)) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), bytes);
    }
    if (kallsyms !== null) writeFileSync(at("kallsyms"), kallsyms);
    const cache = cached ? CacheFolder.open(join(folder, "cache"), code) : null;
    const spies = [resolved.resolvePrograms, files.openKernel, packages.modulesOfPackage].map((each) =>
      vi.mocked(each),
    );
    for (const spy of spies) spy.mockClear();
    const choices: KernelChoices = {
      cache,
      modules: modules === null ? undefined : new Set(modules),
      kallsyms: kallsyms === null ? undefined : at("kallsyms"),
      progress: async () => ({ step() {}, stop() {} }),
    };
    const kernel = await TargetKernel.open(at(path), choices);
    const programs = await kernel.use(() => kernel.resolve(object, variant));
    const about = JSON.stringify(kernel);
    cache?.save();
    const work = spies.map((spy) => spy.mock.results.filter(({ type }) => type === "return").length);
    const plain = programs.map(({ error, ...rest }) => ({ ...rest, error: error?.toJSON() ?? null }));
    return { found: { plain, about }, resolved: work[0]!, opened: work[1]!, modulesRead: work[2]! };
  }

  const BASE: Inputs = {
    code: "code",
    object: WATCH,
    variant: "libbpf-1.5",
    files: { "btf/vmlinux": vmlinux.bytes() },
    path: "btf/vmlinux",
    modules: null,
    kallsyms: null,
  };
  /** With a target that only a module has. */
  const MODULES: Inputs = { ...BASE, files: { "btf/vmlinux": bare.bytes(), "btf/extra": module } };
  /** With a symbol of kallsyms. */
  const SYMBOLS: Inputs = { ...BASE, object: GUARDED, kallsyms: "ffffffff81000000 T new_symbol\n" };
  const PACKAGE: Inputs = { ...BASE, files: { "kernel.deb": packaged({ extra: module }) }, path: "kernel.deb" };
  const MODULES_PACKAGE = "linux-modules-6.12.1_1.deb";
  const modulesPackage = (btf: Uint8Array) => packageOf({ "lib/modules/6.12.1/kernel/extra.ko": kernelElf(btf) });
  const BESIDE: Inputs = {
    ...PACKAGE,
    files: { "kernel.deb": packaged({}), [MODULES_PACKAGE]: modulesPackage(module) },
  };
  const IMAGE: Inputs = { ...BASE, files: { vmlinuz: gzippedImage(kernelElf(vmlinux.bytes())) }, path: "vmlinuz" };

  it.each<[string, Inputs]>([
    ["BTF", BASE],
    ["BTF with modules beside it", MODULES],
    ["BTF and kallsyms", SYMBOLS],
    ["BTF without modules", { ...BASE, files: { btf: bare.bytes() }, path: "btf" }],
    ["an image", IMAGE],
    ["a package", PACKAGE],
    ["a package with the modules in another one", BESIDE],
    ["a package, of which one module counts", { ...PACKAGE, modules: ["extra"] }],
    ["cilium's variant", { ...BASE, variant: "cilium" }],
  ])("is not resolved again for %s", async (_, inputs) => {
    const without = await run(inputs, false);
    const first = await run(inputs);
    expect(first).toEqual(without);
    expect(first.resolved).toBe(1);
    const again = await run(inputs);
    expect(again).toEqual({ ...first, resolved: 0, opened: inputs.path.startsWith("btf") ? 1 : 0, modulesRead: 0 });
  });

  /** Each input of a result, changed alone. */
  const CHANGED: Readonly<Record<string, readonly [Inputs, Partial<Inputs>]>> = {
    "the relocator's code": [BASE, { code: "other" }],
    "the object": [BASE, { object: Buffer.concat([WATCH, Buffer.alloc(1)]) }],
    "the loader": [BASE, { variant: "libbpf-1.6" }],
    "the BTF of vmlinux": [BASE, { files: { "btf/vmlinux": switchKernel({ at: 40 }).bytes() } }],
    "the BTF of a module": [MODULES, { files: { "btf/extra": otherModule } }],
    "the name of a module": [MODULES, { files: { "btf/extra": Buffer.from("no BTF"), "btf/other": module } }],
    "the modules that there are": [MODULES, { files: { "btf/extra": Buffer.from("no BTF") } }],
    "the modules that count": [MODULES, { modules: [] }],
    "the modules that count in a package": [PACKAGE, { modules: [] }],
    "the modules of a package": [PACKAGE, { files: { "kernel.deb": packaged({ other: module }) } }],
    "the modules in the package beside it": [BESIDE, { files: { [MODULES_PACKAGE]: modulesPackage(otherModule) } }],
    "the addresses of symbols": [SYMBOLS, { kallsyms: "ffffffff82000000 T new_symbol\n" }],
    "whether there are symbols": [SYMBOLS, { kallsyms: null }],
  };

  it.each(Object.keys(CHANGED))("is resolved again if it used other input: %s", async (what) => {
    const [inputs, change] = CHANGED[what]!;
    await run(inputs);
    const other = { ...inputs, ...change, files: { ...inputs.files, ...change.files } };
    const changed = await run(other);
    expect(changed.resolved).toBe(1);
    expect(changed.found).toEqual((await run(other, false)).found);
    expect((await run(other)).resolved).toBe(0);
  });

  it.each<[string, Inputs, Partial<Inputs>]>([
    ["modules, for a program that vmlinux has all for", BASE, { files: { "btf/extra": module } }],
    ["kallsyms, for a program without symbols", BASE, { kallsyms: "" }],
    [
      "a package of modules, for a package that has them",
      PACKAGE,
      { files: { [MODULES_PACKAGE]: modulesPackage(module) } },
    ],
    ["the kernel's path", BASE, { files: { "copy/vmlinux": vmlinux.bytes() }, path: "copy/vmlinux" }],
  ])("is not resolved again for other input that it did not use: %s", async (_, inputs, change) => {
    await run(inputs);
    const other = await run({ ...inputs, ...change, files: { ...inputs.files, ...change.files } });
    expect([other.resolved, other.found.plain]).toEqual([0, (await run(inputs)).found.plain]);
  });

  it("is known for several sets of modules at once", async () => {
    const none = { ...MODULES, modules: [] };
    for (const inputs of [MODULES, none]) expect((await run(inputs)).resolved).toBe(1);
    for (const inputs of [MODULES, none, MODULES]) expect((await run(inputs)).resolved).toBe(0);
  });

  it("has no kernel whose BTF is malformed", async () => {
    const cut = { ...BASE, files: { "btf/vmlinux": vmlinux.bytes().subarray(0, 40) } };
    for (let times = 0; times < 2; times++)
      await expect(run(cut)).rejects.toMatchObject({ code: "BTF_MALFORMED", place: expect.stringContaining(folder) });
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
  });

  it("has no errors of a module, which are reported again", async () => {
    const cut = { ...MODULES, files: { ...MODULES.files, "btf/extra": module.subarray(0, 40) } };
    for (let times = 0; times < 2; times++)
      await expect(run(cut)).rejects.toMatchObject({ code: "BTF_MALFORMED", place: expect.stringContaining("extra") });
  });

  it("gives the facts about programs too, and reads no more for them", async () => {
    await run(PACKAGE);
    const facts = async (cache: CacheFolder | null) => {
      const { Inspector } = await import("../../../../src/cli/kernel/inspector.js");
      writeFileSync(at("object.o"), WATCH);
      vi.mocked(files.openKernel).mockClear();
      const kernel = await TargetKernel.open(at("kernel.deb"), {
        cache,
        progress: async () => ({ step() {}, stop() {} }),
      });
      const inspected = await new Inspector(kernel, "libbpf-1.5").inspect(at("object.o"), null);
      return { facts: inspected.facts, reasons: inspected.target!.reasons, opened: openedTimes() };
    };
    const openedTimes = () => vi.mocked(files.openKernel).mock.calls.length;
    const cached = await facts(CacheFolder.open(join(folder, "cache"), "code"));
    expect(cached.opened).toBe(0);
    expect(cached).toEqual({ ...(await facts(null)), opened: 0 });
  });

  it("is an error if the package is replaced by another kernel's in between", async () => {
    await run(PACKAGE);
    const cache = CacheFolder.open(join(folder, "cache"), "code");
    const kernel = await TargetKernel.open(at("kernel.deb"), {
      cache,
      progress: async () => ({ step() {}, stop() {} }),
    });
    writeFileSync(at("kernel.deb"), packageOf({ "boot/vmlinuz-6.12.1": IMAGE.files.vmlinuz! }));
    await expect(kernel.use(() => kernel.resolve(GUARDED, "libbpf-1.5"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      place: at("kernel.deb"),
      message: "was replaced while it was read",
    });
  });
});
