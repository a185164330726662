import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compressionOf, decompressed } from "../../src/cli/kernel/compression/compression.js";
import { openKernel } from "../../src/cli/kernel/kernel-file.js";
import { CountersignError, type ErrorCode } from "../../src/error.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import {
  arOf,
  bootImage,
  btfWith,
  FIXTURE_KERNEL,
  gzippedImage,
  kernelElf,
  PLAIN_KERNEL,
  packageOf,
  tarEntry,
  tarOf,
} from "../support/kernel-files.js";
import { shareOf } from "../support/share.js";

/** A request for all modules. */
const ALL = { wants: () => true, step() {} };

const fixture = (name: string) => readFileSync(new URL(`../unit/cli/kernel/fixtures/${name}`, import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-kernels-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is wrong with a kernel's file, its modules included; `kernel` where nothing is. */
async function outcome(bytes: Uint8Array, name = "kernel"): Promise<ErrorCode | "kernel"> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  try {
    const { readModules } = await openKernel(path);
    await readModules?.(ALL);
    return "kernel";
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    expect(error.place?.startsWith(folder)).toBe(true);
    expect(error.remedy).toBeTruthy();
    return error.code;
  }
}

const image = gzippedImage(FIXTURE_KERNEL);
const PACKAGE = packageOf({
  "boot/vmlinuz-6.12.1": image,
  "usr/lib/modules/6.12.1/kernel/a.ko": kernelElf(btfWith("in_a")),
  "usr/lib/modules/6.12.1/kernel/b.ko.xz": fixture("module.ko.xz"),
  "usr/lib/modules/6.12.1/kernel/c.ko.zst": fixture("module.ko.zst"),
});

function withU32(bytes: Uint8Array, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(value, at);
  return copy;
}

/** A package whose data member is this archive. */
const dataOf = (tar: Uint8Array, name = "data.tar") => arOf({ "debian-binary": Buffer.from("2.0\n"), [name]: tar });
const entries = (count: number) => Array.from({ length: count }, () => tarEntry("x", Buffer.alloc(0)));

describe("a kernel's file that lies about itself", () => {
  const lies: readonly (readonly [string, ErrorCode, () => Uint8Array])[] = [
    ["is empty", "KERNEL_UNSUPPORTED", () => new Uint8Array(0)],
    ["is text", "KERNEL_UNSUPPORTED", () => Buffer.from("no kernel\n")],
    ["is an ELF file without BTF", "KERNEL_UNSUPPORTED", () => kernelElf(null)],
    ["is an ELF header alone", "KERNEL_UNSUPPORTED", () => Buffer.from(PLAIN_KERNEL.subarray(0, 64)).fill(0, 40, 48)],
    ["is half an ELF header", "KERNEL_MALFORMED", () => PLAIN_KERNEL.subarray(0, 32)],
    ["is a 32-bit ELF file", "KERNEL_UNSUPPORTED", () => Buffer.from(PLAIN_KERNEL).fill(1, 4, 5)],
    ["has its sections past the end", "KERNEL_MALFORMED", () => withU32(PLAIN_KERNEL, 40, 0x7fffffff)],
    ["has its sections at 2^64", "KERNEL_MALFORMED", () => Buffer.from(PLAIN_KERNEL).fill(0xff, 40, 48)],
    ["has 65535 sections", "KERNEL_MALFORMED", () => Buffer.from(PLAIN_KERNEL).fill(0xff, 60, 62)],
    ["has its names nowhere", "KERNEL_MALFORMED", () => Buffer.from(PLAIN_KERNEL).fill(0xff, 62, 64)],
    ["is an image without a kernel", "KERNEL_MALFORMED", () => withU32(image, 0x24c, 0)],
    ["is an image of 4 GB", "KERNEL_MALFORMED", () => withU32(image, 0x24c, 0xffffffff)],
    ["is an image whose kernel is past its end", "KERNEL_MALFORMED", () => withU32(image, 0x248, 0x7fffffff)],
    ["is an image with something else inside", "KERNEL_UNSUPPORTED", () => bootImage(Buffer.alloc(1000), 1000)],
    ["is an image with text inside", "KERNEL_UNSUPPORTED", () => gzippedImage(Buffer.from("no kernel\n"))],
    ["is an image cut short", "KERNEL_MALFORMED", () => image.subarray(0, image.length - 1000)],
    ["is a package cut short", "KERNEL_MALFORMED", () => PACKAGE.subarray(0, PACKAGE.length - 100)],
    ["is an archive of nothing", "KERNEL_UNSUPPORTED", () => arOf({})],
    ["is an archive of 100 members", "KERNEL_MALFORMED", () => arOf(Object.fromEntries(entries(100).entries()))],
    [
      "has a member without size",
      "KERNEL_MALFORMED",
      () => Buffer.from(arOf({ a: Buffer.from("1") }).fill(0x20, 56, 66)),
    ],
    ["is a package without a kernel", "KERNEL_UNSUPPORTED", () => packageOf({ "usr/share/doc/x": Buffer.from("x") })],
    [
      "is a package with a text for kernel",
      "KERNEL_UNSUPPORTED",
      () => packageOf({ "boot/vmlinuz-1": Buffer.from("x") }),
    ],
    ["is a package in an unknown format", "KERNEL_MALFORMED", () => dataOf(Buffer.from("text".repeat(500)))],
    ["is a package compressed by bzip2", "KERNEL_UNSUPPORTED", () => dataOf(Buffer.from("BZh91AY"), "data.tar.bz2")],
    ["has an archive without end", "KERNEL_MALFORMED", () => dataOf(tarEntry("x", Buffer.from("y")))],
    ["has a kernel of 8 GB", "FILE_TOO_LARGE", () => dataOf(tarWithSize("7".repeat(11)))],
    ["has a name of 1 MB", "KERNEL_MALFORMED", () => dataOf(tarOf(tarEntry("x", Buffer.alloc(1 << 20, "a"), "L")))],
    ["has 100,001 entries", "KERNEL_MALFORMED", () => dataOf(tarOf(...entries(100_001)))],
    [
      "has a module that is text",
      "KERNEL_UNSUPPORTED",
      () => packageOf({ "boot/vmlinuz-1": image, "lib/modules/1/a.ko": Buffer.from("text") }),
    ],
    [
      "has a module with a base of its own",
      "KERNEL_UNSUPPORTED",
      () => packageOf({ "boot/vmlinuz-1": image, "lib/modules/1/a.ko": withOwnBase() }),
    ],
  ];

  it.each(lies)("%s: %s", { tags: ["deep"] }, async (_, code, bytes) => expect(await outcome(bytes())).toBe(code));
});

function tarWithSize(size: string): Buffer {
  const entry = tarEntry("boot/vmlinuz-1", Buffer.alloc(0));
  entry.write(size, 124);
  const sum = entry.fill(0x20, 148, 156).reduce((total, byte) => total + byte, 0);
  entry.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return tarOf(entry);
}

/** Renames the section `.text`, so that the module has a section `.BTF.base`. */
function withOwnBase(): Buffer {
  const module = kernelElf(btfWith("in_a"), Buffer.alloc(8));
  const names = module.lastIndexOf("\0.text\0.BTF\0.shstrtab\0");
  const other = Buffer.concat([module, Buffer.from(".BTF.base\0")]);
  const sections = Number(module.readBigUInt64LE(40));
  const table = sections + 64 * module.readUInt16LE(62);
  other.writeUInt32LE(module.length - names, sections + 64);
  other.writeBigUInt64LE(BigInt(other.length - names), table + 32);
  return other;
}

describe("compressed data that lies about itself", () => {
  const kinds = [
    ["gzip", gzipSync(FIXTURE_KERNEL)],
    ["xz", fixture("vmlinux.xz")],
    ["zstd", fixture("vmlinux.zst")],
    ["lz4", fixture("vmlinux.lz4")],
    ["xz with filter", fixture("vmlinux.x86.xz")],
  ] as const;

  it.each(kinds)("%s: is rejected at each length at which it is cut", async (_, bytes) => {
    for (let length = 8; length < bytes.length; length += Math.ceil(bytes.length / shareOf(200))) {
      const code = await outcome(bootImage(bytes.subarray(0, length), FIXTURE_KERNEL.length));
      expect(["KERNEL_MALFORMED", "KERNEL_UNSUPPORTED"], `cut at ${length}`).toContain(code);
    }
  });

  it.each([
    ["gzip", gzipSync(Buffer.alloc(64 << 20))],
    ["xz", fixture("zeroes.xz")],
    ["zstd", fixture("zeroes.zst")],
  ] as const)("%s: a small file that becomes large is read up to the limit, and no further", async (_, bytes) => {
    const limit = 1 << 20;
    let size = 0;
    const read = async () => {
      for await (const piece of decompressed(compressionOf(bytes)!, [bytes], limit, "bomb")) size += piece.length;
    };
    await expect(read()).rejects.toMatchObject({ code: "FILE_TOO_LARGE", place: "bomb" });
    expect(size).toBeLessThanOrEqual(limit);
  });

  it("xz: a dictionary of 4 GB is not allocated", async () => {
    expect(await outcome(fixture("dictionary.xz"))).toBe("KERNEL_MALFORMED");
  });
});

describe("damaged kernels", () => {
  const seed = seedOf();
  it(`are errors with a place and a remedy, or kernels (seed ${seed})`, { tags: ["deep"] }, async () => {
    const next = numbers(seed);
    const sources = [
      PACKAGE,
      image,
      bootImage(fixture("vmlinux.x86.xz"), FIXTURE_KERNEL.length),
      bootImage(fixture("vmlinux.zst"), FIXTURE_KERNEL.length),
      bootImage(fixture("vmlinux.lz4"), FIXTURE_KERNEL.length),
      PLAIN_KERNEL,
    ];
    for (let round = 0; round < shareOf(3000); round++)
      await outcome(damaged(sources[round % sources.length]!, next), round % 2 === 0 ? "kernel.deb" : "kernel");
  });
});
