/** Writes files in which kernels come: ELF files with BTF, boot images of x86, archives and packages. */
import { gzipSync } from "node:zlib";
import { btfOf, elfOf } from "../../src/bpf/assembly/elf-writer.js";
import { numbers } from "./damage.js";
import { setHeader } from "./elf-patch.js";

/** BTF of a type `int` with this name. */
export function btfWith(name: string): Buffer {
  const type = Buffer.alloc(16);
  type.writeUInt32LE(1, 0);
  type.writeUInt32LE(1 << 24, 4);
  type.writeUInt32LE(4, 8);
  type.writeUInt32LE(32, 12);
  return btfOf(type, `\0${name}\0`);
}

/** A kernel or a module for x86-64 as ELF file, with these contents before its BTF. */
export function kernelElf(btf: Uint8Array | null, contents: Uint8Array = new Uint8Array(0)): Buffer {
  return forX86(elfWith(btf, contents));
}

/** The same with the machine of BPF, which does not matter for a kernel that is compressed. */
function elfWith(btf: Uint8Array | null, contents: Uint8Array): Buffer {
  const sections = [{ name: ".text", type: 1, data: contents }];
  return elfOf(...sections, ...(btf === null ? [] : [{ name: ".BTF", type: 1, data: btf }]));
}

/** A module as the kernel's loader takes it, with the section of its `struct module`. */
export function moduleElf(btf: Uint8Array): Buffer {
  const sections = [".gnu.linkonce.this_module", ".BTF"].map((name) => ({ name, type: 1, data: btf }));
  return forX86(elfOf(...sections));
}

function forX86(elf: Buffer): Buffer {
  return setHeader(elf, "machine", 62);
}

/** Bytes with many calls and jumps of x86, and with what only looks like them. */
export function callsOfX86(size: number): Buffer {
  const next = numbers(0xca11);
  const common = [0xe8, 0xe9, 0x00, 0xff, 0x90];
  return Buffer.from(Array.from({ length: size }, () => common[next(8)] ?? next(256)));
}

/** The kernel in fixtures/vmlinux.*: see the README there. */
export const FIXTURE_KERNEL = elfWith(btfWith("in_fixture"), callsOfX86(16 * 1024));

/** The same kernel as a file of its own. */
export const PLAIN_KERNEL = forX86(Buffer.from(FIXTURE_KERNEL));

/** A bzImage: boot sector, one sector of set-up code, the release, and the compressed kernel with its size. */
export function bootImage(compressed: Uint8Array, size: number | null, release = "6.12.1-test"): Buffer {
  const setup = Buffer.alloc(3 * 512);
  setup[0x1f1] = 2;
  setup.write("HdrS", 0x202);
  setup.writeUInt16LE(0x020f, 0x206);
  setup.writeUInt16LE(0x400 - 0x200, 0x20e);
  setup.write(`${release} (builder@host) #1 SMP\0`, 0x400, "latin1");
  const before = Buffer.alloc(100);
  const end = Buffer.alloc(size === null ? 0 : 4);
  if (size !== null) end.writeUInt32LE(size);
  setup.writeUInt32LE(before.length, 0x248);
  setup.writeUInt32LE(compressed.length + end.length, 0x24c);
  return Buffer.concat([setup, before, compressed, end, Buffer.alloc(200)]);
}

/** A bzImage whose kernel is compressed by gzip, which has the size itself. */
export function gzippedImage(kernel: Uint8Array, release?: string): Buffer {
  return bootImage(gzipSync(kernel), null, release);
}

/** One entry of a tar archive. */
export function tarEntry(path: string, data: Uint8Array, type = "0"): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100, "utf8");
  header.write("0000644\0", 100);
  header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

export function tarOf(...entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}

/** An archive of ar(1). */
export function arOf(members: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts = Object.entries(members).map(([name, data]) => {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}`;
    return Buffer.concat([
      Buffer.from(`${header}${String(data.length).padEnd(10)}\`\n`, "latin1"),
      data,
      Buffer.alloc(data.length % 2),
    ]);
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}

/** The data of a Debian package with these files, by their paths. */
export function packageData(files: Readonly<Record<string, Uint8Array>>): Buffer {
  return tarOf(...Object.entries(files).map(([path, contents]) => tarEntry(`./${path}`, contents)));
}

/** A Debian package with this data, as a member of this name. */
export function packageWith(name: string, data: Uint8Array): Buffer {
  const control = gzipSync(tarOf());
  return arOf({ "debian-binary": Buffer.from("2.0\n"), "control.tar.gz": control, [name]: data });
}

/** A Debian package with these files, by their paths. */
export function packageOf(files: Readonly<Record<string, Uint8Array>>): Buffer {
  return packageWith("data.tar.gz", gzipSync(packageData(files)));
}
