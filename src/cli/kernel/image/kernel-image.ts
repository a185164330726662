import { isElf } from "../../../bpf/elf/elf.js";
import { type ByteSource, MemorySource, startOf } from "../source/byte-source.js";
import { unsupported } from "../source/kernel-error.js";
import { BOOT_HEADER_SIZE, isBootImage } from "./boot-header.js";
import { elfSection } from "./elf-section.js";

/** What a kernel's image says about it. */
export interface ImageContents {
  readonly btf: Uint8Array;
  /** Such as `6.12.118+deb13-amd64`; null if the image does not say. */
  readonly release: string | null;
}

/** Limit in bytes. The BTF of Debian's kernels has 5 to 8 MB. */
export const MAX_BTF = 64 * 1024 * 1024;

/** Reads a bzImage, or a kernel as ELF file. Throws KERNEL_MALFORMED, KERNEL_UNSUPPORTED, FILE_TOO_LARGE. */
export async function readImage(image: ByteSource): Promise<ImageContents> {
  const start = startOf(image, BOOT_HEADER_SIZE);
  if (isElf(start)) {
    if (elfSection(image, MODULE, MAX_BTF) !== null)
      throw unsupported(image.place, "is a module, whose BTF refers to its kernel's", KNOWN);
    return { btf: btfOf(image), release: null };
  }
  if (!isBootImage(start)) throw unsupported(image.place, "is neither BTF nor a known form of a kernel", KNOWN);
  // It loads node:zlib, which takes as long as reading the BTF of a kernel that is not compressed.
  const { kernelInImage, releaseOfImage } = await import("./boot-image.js");
  const kernel = new MemorySource(`${image.place}: kernel`, await kernelInImage(image));
  // A copy, so that the rest of the kernel does not stay in memory.
  return { btf: btfOf(kernel).slice(), release: releaseOfImage(image) };
}

/** The section with `struct module`, by which the kernel's loader knows a module. */
const MODULE = ".gnu.linkonce.this_module";

/** What `--btf` can name. */
export const KNOWN =
  "name BTF (/sys/kernel/btf/vmlinux), a vmlinux, the vmlinuz of an x86 kernel, or a Debian package of one";

function btfOf(vmlinux: ByteSource): Uint8Array {
  const btf = elfSection(vmlinux, ".BTF", MAX_BTF);
  if (btf !== null) return btf;
  throw unsupported(vmlinux.place, "has no BTF", "name a kernel that was built with CONFIG_DEBUG_INFO_BTF");
}
