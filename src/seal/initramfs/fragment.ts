import { gzipSync } from "node:zlib";
import { cpio } from "./cpio.js";

/** `rdinit=` of the kernel's command line: the loader, which seals and then becomes /init. */
export const SEAL_INIT = "/countersign/init";

/**
 * A fragment of an initramfs: an archive that the boot loader or the UKI puts beside others. It has the loader as
 * {@link SEAL_INIT} and the guard's image. It is compressed with gzip, which every kernel of Debian's can read.
 */
export function fragment(loader: Uint8Array, image: Uint8Array): Uint8Array {
  const archive = cpio([
    { path: "countersign", permissions: 0o700, contents: null },
    { path: "countersign/init", permissions: 0o700, contents: loader },
    { path: "countersign/image", permissions: 0o400, contents: image },
  ]);
  const compressed = gzipSync(archive, { level: 9 });
  // An archive without compression that follows must begin at a multiple of 4 bytes.
  return Buffer.concat([compressed, Buffer.alloc(-compressed.length & 511)]);
}
