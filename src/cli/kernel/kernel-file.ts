import { release as runningRelease } from "node:os";
import { isBpfElf } from "../../bpf/embedded.js";
import { isAr } from "./archive/ar.js";
import { compressionOf, decompressed, joined } from "./compression/compression.js";
import { BOOT_HEADER_SIZE, isBootImage } from "./image/boot-header.js";
import { type ImageContents, KNOWN, MAX_BTF, readImage } from "./image/kernel-image.js";
import { hasModulesBeside, isBtf, modulesBeside, RUNNING_KERNEL } from "./modules/btf-folder.js";
import type { ModuleBtf, ModuleRequest } from "./modules/module-btf.js";
import { kernelInPackage } from "./package/packaged-kernel.js";
import { modulesOfPackage } from "./package/packaged-modules.js";
import { type ByteSource, FileSource, MemorySource, piecesOf, startOf } from "./source/byte-source.js";
import { tooLarge, unsupported } from "./source/kernel-error.js";

/** A kernel as read from a file. */
export interface KernelFile extends ImageContents {
  readonly path: string;
  readonly isPackage: boolean;
  /**
   * Reads the BTF of its modules, in the order of their names, which can take seconds; null if the file is a kernel
   * without modules.
   */
  readonly readModules: ((request: ModuleRequest) => Promise<readonly ModuleBtf[]>) | null;
}

/** Limit in bytes for a decompressed kernel. */
const MAX_KERNEL = 512 * 1024 * 1024;

/**
 * Reads the kernel in a file: raw BTF, a kernel as ELF file (`vmlinux`), as bzImage (`vmlinuz`), or a Debian package
 * with one of them. Raw BTF and ELF may be compressed. Throws KERNEL_UNSUPPORTED, KERNEL_MALFORMED, FILE_TOO_LARGE,
 * FILE_UNREADABLE.
 */
export async function openKernel(path: string): Promise<KernelFile> {
  const file = new FileSource(path);
  try {
    return await read(path, file);
  } finally {
    file.close();
  }
}

/** Whether the kernel in a file is compressed, or in an archive. Throws FILE_UNREADABLE. */
export function isPacked(path: string): boolean {
  const file = new FileSource(path);
  try {
    const start = startOf(file, BOOT_HEADER_SIZE);
    return isAr(start) || compressionOf(start) !== null || isBootImage(start);
  } finally {
    file.close();
  }
}

async function read(path: string, file: ByteSource): Promise<KernelFile> {
  const start = startOf(file, BOOT_HEADER_SIZE);
  if (isAr(start)) {
    const kernel = await kernelInPackage(file);
    const readModules = (request: ModuleRequest) => modulesOfPackage(path, kernel.release, request);
    return { path, ...kernel, isPackage: true, readModules };
  }
  if (isBpfElf(start)) throw unsupported(path, "is a BPF object, not a kernel", KNOWN);
  if (isBtf(start)) return { ...rawBtf(path, file), isPackage: false, readModules: modulesBesideOf(path) };
  const compression = compressionOf(start);
  if (compression === null) return { path, ...(await readImage(file)), isPackage: false, readModules: null };
  const pieces = decompressed(compression, piecesOf(file), MAX_KERNEL, path);
  const whole = new MemorySource(path, await joined(pieces));
  const kernel = isBtf(startOf(whole, 2)) ? rawBtf(path, whole) : { path, ...(await readImage(whole)) };
  return { ...kernel, isPackage: false, readModules: null };
}

function rawBtf(path: string, file: ByteSource): ImageContents & { readonly path: string } {
  if (file.size > MAX_BTF) throw tooLarge(path, MAX_BTF);
  return { path, btf: file.read(0, file.size), release: path === RUNNING_KERNEL ? runningRelease() : null };
}

function modulesBesideOf(path: string): KernelFile["readModules"] {
  return hasModulesBeside(path) ? async (request) => modulesBeside(path, request) : null;
}
