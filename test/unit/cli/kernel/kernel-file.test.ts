import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KernelFile, openKernel } from "../../../../src/cli/kernel/kernel-file.js";
import { packagesWithModules } from "../../../../src/cli/kernel/package/packaged-modules.js";
import { syscall } from "../../../../src/sys/libc.js";
import { NR } from "../../../../src/sys/numbers.js";
import {
  bootImage,
  btfWith,
  FIXTURE_KERNEL,
  gzippedImage,
  kernelElf,
  PLAIN_KERNEL,
  packageOf,
  packageWith,
} from "../../../support/kernel-files.js";

/** A request for all modules. */
const ALL = { wants: () => true, step() {} };

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-kernel-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function saved(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const open = (name: string, bytes: Uint8Array) => openKernel(saved(name, bytes));
/** The names of a kernel's modules, and of the type in the BTF of each. */
const modulesOf = async ({ readModules }: KernelFile) =>
  (await readModules!(ALL)).map(({ name, btf }) => [name, Buffer.from(btf).toString("latin1", 41).split("\0")[0]]);

const BTF = btfWith("in_fixture");

/** Of prctl(2). */
const [GET_SECUREBITS, SET_SECUREBITS] = [27, 28];

/**
 * Calls a function while this user cannot list a folder; root can list any, so it becomes another user. That takes its
 * capabilities away unless another test of this process has set SECBIT_NO_SETUID_FIXUP on the thread, as a gate does.
 */
async function withoutListing(path: string, call: () => Promise<void>): Promise<void> {
  const root = process.geteuid!() === 0;
  const bits = root ? syscall(NR.prctl, GET_SECUREBITS) : 0;
  for (const [each, mode] of [
    [folder, 0o711],
    [path, 0o311],
  ] as const)
    chmodSync(each, mode);
  if (bits !== 0) expect(syscall(NR.prctl, SET_SECUREBITS, 0)).toBe(0);
  if (root) process.seteuid!(65534);
  try {
    await call();
  } finally {
    if (root) process.seteuid!(0);
    if (bits !== 0) syscall(NR.prctl, SET_SECUREBITS, bits);
    chmodSync(path, 0o700);
  }
}

describe("openKernel", () => {
  it.each<[string, Uint8Array, string | null]>([
    ["raw.btf", BTF, null],
    ["raw.btf.gz", gzipSync(BTF), null],
    ["kernel.elf", PLAIN_KERNEL, null],
    ["kernel.elf.zst", fixture("vmlinux.zst"), null],
    ["kernel.elf.xz", fixture("vmlinux.xz"), null],
    ["vmlinuz-gzip", gzippedImage(FIXTURE_KERNEL), "6.12.1-test"],
    ["vmlinuz-xz", bootImage(fixture("vmlinux.x86.xz"), FIXTURE_KERNEL.length), "6.12.1-test"],
    ["vmlinuz-xz-unfiltered", bootImage(fixture("vmlinux.xz"), FIXTURE_KERNEL.length), "6.12.1-test"],
    ["vmlinuz-zstd", bootImage(fixture("vmlinux.zst"), FIXTURE_KERNEL.length), "6.12.1-test"],
    ["vmlinuz-lz4", bootImage(fixture("vmlinux.lz4"), FIXTURE_KERNEL.length), "6.12.1-test"],
  ])("reads %s", async (name, bytes, release) => {
    const kernel = await open(name, bytes);
    expect(Buffer.from(kernel.btf).equals(BTF)).toBe(true);
    expect([kernel.release, kernel.readModules]).toEqual([release, null]);
  });

  it("reads a kernel and its modules from one package, however they are compressed", async () => {
    const kernel = await open(
      "linux-image-6.12.1.deb",
      packageOf({
        "boot/config-6.12.1": Buffer.from("CONFIG_BPF=y\n"),
        "boot/vmlinuz-6.12.1": gzippedImage(FIXTURE_KERNEL),
        "usr/lib/modules/6.12.1/kernel/fs/two-words.ko.xz": fixture("module.ko.xz"),
        "usr/lib/modules/6.12.1/kernel/fs/ext4/ext4.ko": kernelElf(btfWith("in_ext4")),
        "usr/lib/modules/6.12.1/kernel/fs/zstd.ko.zst": fixture("module.ko.zst"),
        "usr/lib/modules/6.12.1/kernel/fs/none.ko": kernelElf(null),
        "usr/lib/modules/6.12.1/modules.order": Buffer.from("kernel/fs/ext4/ext4.ko\n"),
      }),
    );
    expect(kernel.release).toBe("6.12.1");
    expect(await modulesOf(kernel)).toEqual([
      ["ext4", "in_ext4"],
      ["two_words", "in_module"],
      ["zstd", "in_module"],
    ]);
  });

  it.each(["data.tar.xz", "data.tar.zst"])(
    "reads a package with %s, whose files are compressed by xz and zstd too",
    async (name) => {
      const kernel = await open(`${name}.deb`, packageWith(name, fixture(name)));
      expect([kernel.release, Buffer.from(kernel.btf).equals(BTF)]).toEqual(["6.12.1", true]);
      expect((await modulesOf(kernel)).map(([module]) => module)).toEqual(["a", "b", "c"]);
      const some = await kernel.readModules!({ wants: (module) => module === "b", step() {} });
      expect(some.map((module) => module.name)).toEqual(["b"]);
    },
  );

  it("reads the modules of the package beside it, from Linux 7 on", async () => {
    const modules = { "usr/lib/modules/7.2.1/kernel/a.ko": kernelElf(btfWith("in_a")) };
    saved("linux-modules-7.2.1_7.2.1-1_amd64.deb", packageOf(modules));
    saved("linux-modules-7.2.10_7.2.10-1_amd64.deb", packageOf({ "usr/lib/modules/7.2.10/kernel/b.ko": BTF }));
    const kernel = await open(
      "linux-binary-7.2.1_7.2.1-1_amd64.deb",
      packageOf({ "usr/lib/modules/7.2.1/vmlinuz": gzippedImage(FIXTURE_KERNEL) }),
    );
    expect(kernel.release).toBe("7.2.1");
    expect(await modulesOf(kernel)).toEqual([["a", "in_a"]]);
  });

  it.skipIf(process.geteuid === undefined)(
    "looks for another package only if there are no modules in its own, in a folder that cannot be listed",
    async () => {
      mkdirSync(join(folder, "hidden"));
      const image = { "boot/vmlinuz-6.12.1": gzippedImage(FIXTURE_KERNEL) };
      const module = { "lib/modules/6.12.1/kernel/a.ko": kernelElf(btfWith("in_a")) };
      const paths = [
        saved("hidden/with.deb", packageOf({ ...image, ...module })),
        saved("hidden/without.deb", packageOf(image)),
      ];
      const [kernel, bare] = await Promise.all(paths.map((path) => openKernel(path)));
      await withoutListing(join(folder, "hidden"), async () => {
        expect(packagesWithModules(paths[0]!, "6.12.1")).toEqual([paths[0]]);
        expect(await modulesOf(kernel!)).toEqual([["a", "in_a"]]);
        await expect(modulesOf(bare!)).rejects.toMatchObject({
          code: "FILE_UNREADABLE",
          place: join(folder, "hidden"),
          message: "cannot be listed: EACCES",
        });
      });
    },
  );

  it("says that a package has no modules where there are none", async () => {
    const kernel = await open("linux-image-5.deb", packageOf({ "boot/vmlinuz-5.1": gzippedImage(FIXTURE_KERNEL) }));
    expect(await modulesOf(kernel)).toEqual([]);
  });

  it("reads the modules beside a file in a copy of /sys/kernel/btf", async () => {
    mkdirSync(join(folder, "btf"));
    saved("btf/nf_tables", btfWith("in_tables"));
    saved("btf/README", Buffer.from("no BTF"));
    expect(await modulesOf(await open("btf/vmlinux", BTF))).toEqual([["nf_tables", "in_tables"]]);
    expect((await open("btf/other", BTF)).readModules).toBe(null);
  });

  it("does not read what follows the kernel in a package until it is asked for modules", async () => {
    const whole = packageOf({
      "boot/vmlinuz-6.12.1": gzippedImage(FIXTURE_KERNEL),
      "lib/modules/6.12.1/kernel/broken.ko": Buffer.from("\x7fELF"),
    });
    const kernel = await open("broken-module.deb", whole);
    await expect(modulesOf(kernel)).rejects.toMatchObject({ code: "KERNEL_MALFORMED" });
  });
});
