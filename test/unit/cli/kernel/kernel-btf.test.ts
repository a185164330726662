import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Elf } from "../../../../src/bpf/elf/elf.js";
import { RUNNING_KERNEL } from "../../../../src/cli/kernel/modules/btf-folder.js";
import { TargetKernel } from "../../../../src/cli/kernel/target-kernel.js";
import { runCommand } from "../../../support/command-line.js";
import { kernelElf, moduleElf } from "../../../support/kernel-files.js";
import { switchKernel, switchModule } from "../../../support/switch-kernel.js";
import { own } from "../../../support/workplace.js";

/** What `--btf` names is a kernel: neither a BPF object nor a module, as ELF file or as bare BTF. */
const folder = mkdtempSync(join(tmpdir(), "countersign-kernel-btf-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHOICES = { progress: async () => ({ step() {}, stop() {} }) };

function open(bytes: Uint8Array): Promise<TargetKernel> {
  const path = join(folder, "kernel");
  writeFileSync(path, bytes);
  return TargetKernel.open(path, CHOICES);
}

const OBJECTS = readdirSync(own("examples")).filter((name) => name.endsWith(".o"));
const btfOf = (object: string) => new Elf(readFileSync(own(`examples/${object}`))).section(".BTF")?.data ?? null;

const REJECTED = (message: RegExp) => ({
  code: "KERNEL_UNSUPPORTED",
  place: join(folder, "kernel"),
  message: expect.stringMatching(message),
  remedy: expect.stringContaining("/sys/kernel/btf/vmlinux"),
});

describe("is no kernel", () => {
  it.each(OBJECTS)("the BPF object %s", async (object) => {
    await expect(open(readFileSync(own(`examples/${object}`)))).rejects.toMatchObject(REJECTED(/^is a BPF object/));
  });

  it.each(OBJECTS.filter((object) => btfOf(object) !== null))("the BTF of the BPF object %s", async (object) => {
    const its = /^is the BTF of a BPF object, since it has the section `(license|\.maps)`$/;
    await expect(open(btfOf(object)!)).rejects.toMatchObject(REJECTED(its));
    await expect(open(kernelElf(btfOf(object)))).rejects.toMatchObject(REJECTED(its));
  });

  it("a module, also in the byte order of other machines", async () => {
    const its = switchModule(switchKernel());
    await expect(open(its)).rejects.toMatchObject(REJECTED(/^is the BTF of a module/));
    await expect(open(moduleElf(its))).rejects.toMatchObject(REJECTED(/^is a module/));
    const vmlinux = new BtfWriter("big");
    vmlinux.int("int", 4);
    const module = new BtfWriter("big", vmlinux);
    module.struct("of_module", 0, []);
    await expect(open(module.bytes())).rejects.toMatchObject(REJECTED(/^is the BTF of a module/));
    await expect(open(vmlinux.bytes())).resolves.toBeInstanceOf(TargetKernel);
  });

  it("what `--btf` names, in each command that has the option", async () => {
    const object = own("examples/switch-watch.o");
    for (const command of ["check", "inspect", "resolve", "list"]) {
      const { code, out, err } = await runCommand(command, "--no-cache", "--btf", object, object);
      expect({ command, code, out }).toEqual({ command, code: 2, out: "" });
      expect(err).toContain(`${object}: is a BPF object, not a kernel [KERNEL_UNSUPPORTED]; `);
    }
  });
});

describe("is a kernel", () => {
  it("the running one", async (context) => {
    if (!existsSync(RUNNING_KERNEL)) return context.skip(`needs ${RUNNING_KERNEL}`);
    expect((await TargetKernel.open(RUNNING_KERNEL, CHOICES)).vmlinux.count).toBeGreaterThan(10_000);
  });

  it("one with variables in its own sections", async () => {
    const btf = switchKernel();
    const int = btf.int("long", 8);
    btf.datasec(".data..percpu", 8, [[btf.var("runqueues", int), 0, 8]]);
    await expect(open(btf.bytes())).resolves.toBeInstanceOf(TargetKernel);
    await expect(open(kernelElf(btf.bytes()))).resolves.toBeInstanceOf(TargetKernel);
  });

  it("the few types of one that an object needs, as `bpftool gen min_core_btf` writes them", async () => {
    const btf = new BtfWriter();
    btf.struct("file", 8, [["f_inode", btf.ptr(btf.struct("inode", 0, [])), 0]]);
    await expect(open(btf.bytes())).resolves.toBeInstanceOf(TargetKernel);
    await expect(open(new BtfWriter().bytes())).resolves.toBeInstanceOf(TargetKernel);
  });
});
