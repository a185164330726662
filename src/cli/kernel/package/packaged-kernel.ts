import { type ImageContents, readImage } from "../image/kernel-image.js";
import { type ByteSource, MemorySource } from "../source/byte-source.js";
import { unsupported } from "../source/kernel-error.js";
import { filesOfPackage } from "./debian-package.js";

/** Paths of kernels in packages: the first up to Debian 13, the second from Linux 7 on. */
const KERNELS = [/^boot\/vmlinu[xz]-([^/]+)$/, /^(?:usr\/)?lib\/modules\/([^/]+)\/vmlinu[xz]$/];

/** Limit in bytes. Debian's have 14 MB. */
const MAX_IMAGE = 256 * 1024 * 1024;

/**
 * Finds the kernel in a package; the files after it are not read. Throws KERNEL_UNSUPPORTED if there is none,
 * KERNEL_MALFORMED, FILE_TOO_LARGE.
 */
export async function kernelInPackage(archive: ByteSource): Promise<ImageContents & { readonly release: string }> {
  const found = await imageIn(archive);
  if (found === null)
    throw unsupported(
      archive.place,
      "contains no kernel",
      "name the package with the kernel itself: linux-image-RELEASE, or linux-binary-RELEASE from Linux 7 on",
    );
  return { ...(await readImage(found.image)), release: found.release };
}

async function imageIn(archive: ByteSource): Promise<{ release: string; image: ByteSource } | null> {
  for await (const file of filesOfPackage(archive)) {
    const release = KERNELS.map((path) => path.exec(file.path)?.[1]).find((match) => match !== undefined);
    if (release === undefined) continue;
    return { release, image: new MemorySource(`${archive.place}: ${file.path}`, await file.read(MAX_IMAGE)) };
  }
  return null;
}
